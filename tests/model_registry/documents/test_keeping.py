"""Documents of a version: revisions that are never changed, out of date when the version may do something else."""

import json
from collections.abc import Callable
from io import BytesIO, StringIO, TextIOWrapper
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, transaction

from audit.models import AuditEvent
from consent.models import Purpose
from model_registry import services
from model_registry.documents import keeping
from model_registry.documents.assessments import DPIA, Assessment
from model_registry.documents.card import Disparity, Evaluation, Governance, Metric, ModelCard
from model_registry.documents.refusal import DocumentRefused
from model_registry.models import Document, ModelVersion
from oversight.guard import writing
from tests.model_registry.documents.test_forms import FORMS


@pytest.fixture
def version(register_in_force: None) -> ModelVersion:
    model = services.register_model("house", name="House", description="")
    return services.register_version(
        model=model, purposes=[Purpose.objects.get(slug="recommendations")], actor="job:training"
    )


def run(*arguments: str) -> str:
    out = StringIO()
    call_command("model", *arguments, stdout=out)
    return out.getvalue()


def test_revisions_are_kept_compared_and_never_changed(version: ModelVersion) -> None:
    first = keeping.keep(version, "card", ModelCard(name="House"), actor="officer:anna")
    same = keeping.keep(version, "card", ModelCard(name="House"), actor="officer:ben")
    second = keeping.keep(version, "card", ModelCard(name="House", overview="Item to item."), actor="officer:ben")

    assert (same.pk, second.revision, second.score > first.score) == (first.pk, 2, True)
    assert '+ "overview": "Item to item.",' in keeping.difference(first, second)
    assert AuditEvent.objects.filter(action="model.document", object=str(version)).count() == 2
    for change in (lambda: Document.objects.update(score=100), lambda: Document.objects.all().delete()):
        with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
            change()


@pytest.mark.parametrize(
    "change",
    [
        lambda version: version.purposes.set(Purpose.objects.filter(slug="newsletter")),
        lambda version: ModelVersion.objects.filter(pk=version.pk).update(max_level="segment"),
        lambda version: Purpose.objects.filter(slug="recommendations").update(data_categories=["location"]),
        lambda version: Purpose.objects.filter(slug="recommendations").update(recipients=["mailer"]),
    ],
)
def test_an_assessment_is_out_of_date_when_its_facts_change(
    version: ModelVersion, change: Callable[[Any], Any]
) -> None:
    row = keeping.keep(version, "dpia", Assessment(answers=dict.fromkeys(DPIA, "Said.")), actor="officer:anna")
    assert not keeping.is_out_of_date(row)

    with transaction.atomic(), writing("test"):
        change(version)

    row = Document.objects.select_related("version").get(pk=row.pk)
    assert keeping.is_out_of_date(row)
    again = keeping.keep(row.version, "dpia", keeping.document_of(row), actor="officer:anna")
    assert (again.revision, keeping.is_out_of_date(again)) == (2, False)


@pytest.mark.parametrize(
    ("form", "name"), [("huggingface", "README.md"), ("toolkit", "card.json"), ("cyclonedx", "b.json")]
)
def test_a_file_is_taken_in_by_its_form_and_written_out(
    version: ModelVersion, form: str, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / name
    file.write_bytes(FORMS[form][1])

    assert "Model card, revision 1" in run("import", str(version), str(file))
    assert "missing: training window" in run("show", str(version))
    row = Document.objects.get()
    assert bytes(row.source or b"") == FORMS[form][1]
    out = TextIOWrapper(BytesIO())
    monkeypatch.setattr("sys.stdout", out)
    run("export", str(version), "--form", row.form)
    assert FORMS[form][0].read(out.buffer.getvalue()).kept == keeping.document_of(row).kept  # type: ignore[attr-defined, union-attr]


def test_a_refused_file_names_its_line_and_changes_nothing(version: ModelVersion, tmp_path: Path) -> None:
    file = tmp_path / "README.md"
    file.write_text("---\nlicense: mit\nlicense: gpl\n---\n")

    with pytest.raises(CommandError, match=r"line 3, license: This member is stated twice\."):
        run("import", str(version), str(file))
    assert not Document.objects.exists()


@pytest.mark.parametrize("name", ["house@9", "house@99999999999999999999", "house", "nobody@1", "house@x", "house@²"])
def test_a_version_that_is_not_there_is_named(version: ModelVersion, name: str) -> None:
    with pytest.raises(CommandError, match="There is no version"):
        run("show", name)


def test_our_own_json_names_the_line_of_a_wrong_member(version: ModelVersion, tmp_path: Path) -> None:
    file = tmp_path / "dpia.json"
    file.write_text(json.dumps({"answers": {}, "risks": [{"risk": "x", "likelihood": "huge"}]}, indent=1))

    with pytest.raises(CommandError, match=r"line \d+, risks\[0\]\.likelihood"):
        run("import", str(version), str(file), "--kind", "dpia")


@pytest.mark.parametrize(
    "kept",
    [
        {"huggingface": "x"},
        {"huggingface-lines": [1]},
        {"eval-results": 5},
        {"eval-results": {"a.yaml": 5}},
        {"other": {}},
    ],
)
def test_a_card_of_our_own_form_states_only_what_forms_keep(kept: dict[str, Any]) -> None:
    with pytest.raises(DocumentRefused, match="no form keeps this"):
        keeping.read(json.dumps({"name": "House", "kept": kept}).encode(), "json")


def test_a_bill_of_materials_of_no_version_is_not_written(version: ModelVersion) -> None:
    model = {"type": "machine-learning-model", "name": "m", "modelCard": {}}
    kept = {"cyclonedx": {"specVersion": "../1.6", "components": [model]}}
    row = keeping.keep(version, "card", ModelCard(name="m", kept=kept), actor="officer:anna")

    with pytest.raises(DocumentRefused, match="The version must be one of"):
        keeping.written(row, "cyclonedx")


@pytest.mark.parametrize(
    ("form", "kept"),
    [
        ("model-card-toolkit", {"model_details": 5}),
        ("model-card-toolkit", {"model_details": {"version": None}}),
        ("model-card-toolkit", {"considerations": {"users": [1]}}),
        ("cyclonedx", {"bomFormat": "CycloneDX", "specVersion": "1.6", "components": [
            {"type": "machine-learning-model", "name": "m", "modelCard": 5}]}),
        ("cyclonedx", {"bomFormat": "CycloneDX", "specVersion": [], "components": 5}),
        ("huggingface", {"model-index": {"results": 5}}),
        ("huggingface", {"tags": [None]}),
    ],
)  # fmt: skip
def test_a_card_that_states_another_original_is_refused_when_it_is_written(form: str, kept: dict[str, Any]) -> None:
    _kind, card = keeping.read(json.dumps({"name": "House", "kept": {form: kept}}).encode(), "json")

    with pytest.raises(DocumentRefused):
        keeping.FORMS[form][1].write(card)


def test_what_a_form_has_no_place_for_is_named(version: ModelVersion, monkeypatch: pytest.MonkeyPatch) -> None:
    said = ModelCard(
        name="House", languages=["en"], body="# House\n", tags=["shop"],
        governance=Governance(risk="minimal"), disparities=[Disparity(metric="auc", group="a", value=0.1)],
        evaluations=[Evaluation(task="ranking", metrics=[Metric(type="auc", value=0.5)])],
    )  # fmt: skip
    row = keeping.keep(version, "card", said, actor="officer:anna")
    monkeypatch.setattr("sys.stdout", TextIOWrapper(BytesIO()))
    errors = StringIO()

    call_command("model", "export", str(version), "--form", "cyclonedx", stderr=errors)

    lost = ["languages", "evaluations.task", "disparities", "governance.risk", "body"]
    assert f"no place for it: {', '.join(lost)}." in errors.getvalue()
    for form in ("json", "html"):
        assert keeping.not_carried(row, form, b"") == []
    assert keeping.not_carried(row, "huggingface", keeping.written(row, "huggingface")) == [
        "disparities", "governance.risk",
    ]  # fmt: skip


def test_a_card_is_not_written_as_a_data_sheet(version: ModelVersion) -> None:
    row = keeping.keep(version, "card", ModelCard(name="House"), actor="officer:anna")

    with pytest.raises(Exception, match="is not written as"):
        keeping.written(row, "croissant")
