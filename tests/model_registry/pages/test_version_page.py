"""Page of a version: what is missing leads to where it is mended; people in groups of k; history; an extension."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from consent.ledger import ledger, people_counts
from consent.models import Purpose
from consent.pseudonyms import subject_ref
from model_registry import services
from model_registry.gates import recording
from model_registry.models import ModelVersion
from model_registry.pages import people, summary
from tests.helpers import models
from tests.helpers.officers import signed_in, with_role
from tests.helpers.registers import make_officer, second_newest

pytestmark = pytest.mark.django_db


@pytest.fixture
def version(register_in_force: None) -> ModelVersion:
    return services.register_version(
        model=services.register_model("house", name="House", description="Item to item."),
        purposes=[Purpose.objects.get(slug="recommendations")],
        actor="job:training",
        metrics={"ndcg_at_10_per_mille": {"none": 200, "individual": 300}, "people": 1_281},
    )


@pytest.fixture
def owner() -> Client:
    return signed_in(with_role("owner", "model-owner"))


def page(version: ModelVersion) -> str:
    return f"/admin/model_registry/modelversion/{version.pk}/change/"


def shown(officer: Client, version: ModelVersion) -> str:
    answer = officer.get(page(version))
    assert answer.status_code == 200
    return str(answer.content.decode())


def answered(prefix: str, count: int, choice: str = "give", *, region: str = "DE", level: str | None = None) -> None:
    for number in range(count):
        choices = [ledger.Choice(purpose="recommendations", choice=choice)]
        if level:
            choices.append(ledger.Choice(purpose="recommendations", choice="adjust", max_level=level))
        ref = subject_ref(f"{prefix}-{number}")
        for each in choices:
            ledger.save_choices(
                ledger.Request(
                    subject_ref=ref, choices=[each], source="api", actor="test", region=region, age_band="adult"
                )
            )


def test_each_missing_gate_leads_to_where_it_is_mended(owner: Client, version: ModelVersion) -> None:
    html = shown(owner, version)

    for kind, title in (("card", "Model card"), ("dpia", "Impact assessment"), ("runbook", "Runbook")):
        assert f'<a href="/admin/models/{version.pk}/documents/{kind}">Write it: {title}</a>' in html
    query = f"model={version.model_id}&amp;version=1&amp;gate=segments"
    assert f'href="/admin/model_registry/gateexemption/add/?{query}"' in html
    form = owner.get(f"/admin/model_registry/gateexemption/add/?{query.replace('&amp;', '&')}").content.decode()
    assert '<option value="segments" selected' in form


def test_a_passed_gate_asks_for_nothing(owner: Client, version: ModelVersion) -> None:
    models.with_evidence(version)

    assert "Write it" not in shown(owner, version)


def test_an_approval_that_ends_is_extended_by_two_officers(owner: Client, version: ModelVersion) -> None:
    models.go_live(version)
    ModelVersion.objects.update(approved_until=timezone.now().date() - timedelta(days=1))
    extend = f"/admin/model_registry/modelversion/{version.pk}/extend/"
    html = shown(owner, version)
    assert f'<a href="{extend}">Extend the approval</a>' in html

    assert "Proposed: a year from today." in owner.get(extend, follow=True).content.decode()
    assert owner.post(extend).status_code == 302
    version.refresh_from_db()
    assert version.approved_until < timezone.now().date(), "not before another officer approved it"  # type: ignore[operator]

    second_newest()
    version.refresh_from_db()
    assert version.status == "live"
    assert version.approved_until == timezone.now().date() + timedelta(days=365)


def test_a_draft_has_no_approval_to_extend(owner: Client, version: ModelVersion) -> None:
    assert owner.get(f"/admin/model_registry/modelversion/{version.pk}/extend/").status_code == 403


def test_verdicts_stand_by_role_with_their_words(owner: Client, version: ModelVersion) -> None:
    row = models.with_evidence(version).documents.get(kind="dpia")
    recording.review(row, verdict="comment", role="legal", actor=make_officer("ruth"), comment="Name <b>the</b> basis.")

    html = shown(owner, version)

    assert "Legal: comment by Officer ruth: “Name &lt;b&gt;the&lt;/b&gt; basis.”" in html
    assert "Privacy: approved by" in html


def test_the_card_stands_in_short(owner: Client, version: ModelVersion) -> None:
    models.with_evidence(version)

    html = shown(owner, version)

    assert '<th scope="row">Forbidden uses</th>' in html
    assert "The whole card, revision 1" in html


def test_quality_says_what_each_level_adds(version: ModelVersion) -> None:
    html = summary.quality(version)

    assert "+10.0 points (+50 %)" in html
    assert "Learnt from 1,281 people." in html

    version.metrics = {**version.metrics, "protocols": {"S": {"individual": {"ndcg": 421}}}}
    assert "42.1 %" in summary.quality(version)


def test_history_holds_steps_and_change_sets(owner: Client, version: ModelVersion) -> None:
    models.go_live(version)
    owner.post(f"/admin/model_registry/modelversion/{version.pk}/extend/")
    second_newest()

    html = shown(owner, version)

    for what in ("Registered", "Live", "Change set proposed", "Change set applied"):
        assert f">{what}</td>" in html, what


def test_people_are_counted_in_groups_of_k(version: ModelVersion) -> None:
    answered("yes", 20)
    answered("limited", 20, level="segment")
    answered("few", 19, region="FR")
    answered("no", 25, "refuse")

    found = people.served(version, now=timezone.now())

    assert [(group.level, group.region, group.people) for group in found.groups] == [
        ("individual", "DE", 20),
        ("segment", "DE", 20),
    ]
    assert (found.has_more, found.is_estimate) == (True, False)
    html = summary.affected(version)
    assert "FR" not in html
    assert "59" not in html


def test_nobody_is_served_above_the_version_s_own_level(version: ModelVersion) -> None:
    answered("yes", 12)
    answered("limited", 12, level="segment")
    version.max_level = "segment"

    groups = people.served(version, now=timezone.now()).groups

    assert [(group.level, group.people) for group in groups] == [("segment", 24)]


def test_of_very_many_a_sample_is_read(version: ModelVersion, monkeypatch: pytest.MonkeyPatch) -> None:
    answered("yes", 20)
    monkeypatch.setattr(people_counts, "expected", lambda: 10 * people._READ)

    with CaptureQueriesContext(connection) as asked:
        found = people.served(version, now=timezone.now())

    assert found.is_estimate
    assert "TABLESAMPLE SYSTEM (10.000000)" in asked[-1]["sql"]


def test_the_page_takes_as_many_statements_whatever_happened(owner: Client, version: ModelVersion) -> None:
    models.go_live(version)
    shown(owner, version)
    with CaptureQueriesContext(connection) as before:
        shown(owner, version)
    for number in range(15):
        models.evidence(version, f"other-{number}")
        row = version.documents.get(kind="dpia")
        recording.review(row, verdict="comment", role="legal", actor="officer:ruth", comment=f"Comment {number}.")

    with CaptureQueriesContext(connection) as after:
        shown(owner, version)

    assert len(after) <= len(before)
