"""Bills of materials as we write them, judged by the official JSON schemas of CycloneDX."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from model_registry.documents import cyclonedx, huggingface, toolkit
from model_registry.documents.card import ModelCard
from model_registry.documents.files import schema
from model_registry.documents.refusal import DocumentRefused
from tests.helpers import models
from tests.helpers.judges import judge
from tests.model_registry.documents.test_cards_of_others import CARDS, FORMS, bom

_ERRORS = Path(__file__).with_name("cyclonedx_errors.py")
_TEXTS = [
    "", "https://example.org/a?b=c#d", "http://example.org:8080", "https://example.org:x/", "see Smith et al., 2020",
    "LICENSE", "a b", "%zz", "100%", ":a", "a:b", "//host/path", "urn:isbn:1", "mailto:a@example.org", "http://",
    "a#b#c", "<x>", "[1]", "https://é.example/ü", "{}", "a\\b", "\"'", "`", "^|", "中文", "a\nb", "#", "?", "../a",
    "doi:10.1/x",
]  # fmt: skip


def _judged(*documents: bytes) -> Any:
    return judge("cyclonedx").run(_ERRORS, [json.loads(each) for each in documents])


def _with(text: str) -> ModelCard:
    """A card that has a text wherever it is free."""
    return ModelCard.model_validate(
        {
            "name": text, "overview": text, "version": text, "tags": [text], "references": [text, text],
            "owners": [{"name": text, "contact": text}, {"name": text, "contact": f"{text}@"}],
            "licenses": [{"id": text, "link": text, "text": text}, {"id": "mit", "link": text}, {"id": "gpl"}],
            "architecture": {"name": text, "family": text, "approach": text, "task": text, "inputs": [text]},
            "training": {"data": [{"name": text, "type": text, "url": text, "sensitive": [text]}]},
            "evaluations": [
                {"dataset": {"name": text}, "metrics": [
                    {"type": text, "value": text, "interval": {"lower": 0.5, "upper": text}},
                    {"value": [1, {"a": None}]}, {"type": "f1", "value": True}, {"type": "f1"}]},
            ],
            "considerations": {
                "users": [text], "limitations": [text, text], "ethical": [{"name": text, "mitigation": text}],
                "fairness": [{"group_at_risk": text, "harms": text}],
            },
        }
    )  # fmt: skip


def test_the_official_schemas_take_every_export() -> None:
    own = [models.card(), *(_with(text) for text in _TEXTS)]
    others = [FORMS[case.form].read(case.data) for case in CARDS if case.form != "croissant"]
    changed = [
        each.model_copy(update={"owners": _with("a").owners, "tags": ["new"], "references": ["a b"]})
        for each in others
        if cyclonedx.NAME in each.kept
    ]
    documents = [cyclonedx.write(each) for each in (*own, *others, *changed)]

    found = _judged(*documents)

    assert [each for each in found["errors"] if each] == []
    assert len(changed) >= 5
    assert all(cyclonedx.write(cyclonedx.read(each)) == each for each in documents)


def test_our_copies_of_the_schemas_are_those_of_the_judge() -> None:
    copies = Path(schema.__file__).with_name("cyclonedx").glob("*.json")
    ours = {each.name: hashlib.sha256(each.read_bytes()).hexdigest() for each in copies}

    theirs = _judged()["schemas"]

    assert len(ours) == 6
    assert ours == {name: theirs.get(name) for name in ours}


def _card(model: Any) -> Any:
    return model["modelCard"]


_FAULTS: dict[str, Any] = {
    "components[1].modelCard.own": lambda _document, model: _card(model).update(own=1),
    "components[1].modelCard.modelParameters.approach.type": lambda _document, model: _card(model)[
        "modelParameters"]["approach"].update(type="magic"),
    "components[1].hashes[0].alg": lambda _document, model: model["hashes"][0].update(alg="CRC32"),
    "components[1].hashes[0].content": lambda _document, model: model["hashes"][0].update(content="z"),
    "components[1].licenses": lambda _document, model: model.update(licenses=[{"license": {"id": "apache-2.0"}}]),
    "components[1].modelCard.quantitativeAnalysis.performanceMetrics[0].value": lambda _document, model: _card(
        model).update(quantitativeAnalysis={"performanceMetrics": [{"value": 0.5}]}),
    "components[1].modelCard.considerations.users": lambda _document, model: _card(model).update(
        considerations={"users": "all"}),
    "components[0].name": lambda document, _model: document["components"][0].update(name=3),
    "components[0]": lambda document, _model: document["components"][0].pop("name"),
    "components[0].type": lambda document, _model: document["components"][0].update(type="thing"),
    "components[2]": lambda document, _model: document["components"].append({**document["components"][0]}),
    "serialNumber": lambda document, _model: document.update(serialNumber="1"),
    "version": lambda document, _model: document.update(version=0),
    "extra": lambda document, _model: document.update(extra=1),
    "metadata.component": lambda document, _model: document.update(metadata={"component": []}),
    "components[1].modelCard.considerations.environmentalConsiderations.energyConsumptions[0]": (
        lambda _document, model: _card(model).update(considerations={
            "environmentalConsiderations": {"energyConsumptions": [{"activity": "training"}]}})),
}  # fmt: skip


def test_what_the_schemas_refuse_is_refused_at_the_same_place() -> None:
    spoilt = {place: bom(change) for place, change in _FAULTS.items()}

    found = dict(zip(spoilt, _judged(*spoilt.values())["errors"], strict=True))

    assert [place for place, errors in found.items() if not errors] == []
    for place, data in spoilt.items():
        with pytest.raises(DocumentRefused) as refused:
            cyclonedx.read(data)
        assert refused.value.member.startswith(place), (place, refused.value.detail)
        assert refused.value.line


def test_what_a_card_says_without_a_place_in_the_schema_is_not_written() -> None:
    card = models.card()
    environmental = card.considerations.model_copy(update={"environmental": {"co2": "much"}})

    with pytest.raises(DocumentRefused, match=r"environmentalConsiderations\.co2"):
        cyclonedx.write(card.model_copy(update={"considerations": environmental}))


def test_a_card_of_another_form_reads_the_same_after_it() -> None:
    card = huggingface.read(b"---\nlicense: other\nlicense_name: ours\nlicense_link: see the file\n---\n")
    kit = toolkit.read(
        b'{"model_details": {"references": [{"reference": "Smith, 2020"}], "owners": [{"contact": "7"}]}}'
    )

    assert cyclonedx.read(cyclonedx.write(card)).licenses[0].link == "see the file"
    again = cyclonedx.read(cyclonedx.write(kit))
    assert (again.references, again.owners[0].contact) == (["Smith, 2020"], "7")
