"""The decision log for officers: days, callers, facts in groups, and the rules that fired."""

import json
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from policies.admin.decision_log import facts
from policies.decision_log import drainer
from policies.models import Decision

pytestmark = pytest.mark.django_db
QUESTION = {
    "subject": {"type": "data_subject", "id": "customer-1"},
    "action": {"name": "personalize", "properties": {"purpose": "recommendations"}},
    "resource": {"type": "personalization", "id": "home", "properties": {"data_categories": ["views"]}},
}


@pytest.fixture
def decision(officer: Client, api: Any, own_spool: Any) -> Decision:
    api.save("customer-1", "refuse")
    status, _answer, _headers = api.evaluate(QUESTION)
    assert status == 200
    drainer.drain(own_spool)
    return Decision.objects.get()


def _page(officer: Client, decision: Decision) -> str:
    page = officer.get(reverse("admin:policies_decision_change", args=[decision.pk])).content.decode()
    return " ".join(page.split())


def test_facts_stand_in_groups_and_none_is_left_out(officer: Client, decision: Decision) -> None:
    page = _page(officer, decision)

    for heading in ("The question", "The person&#x27;s choice", "Signals", "The processing"):
        assert f'<h4 class="fact-heading">{heading}</h4>' in page
    grouped = {name for _heading, names in facts._GROUPS for name in names}
    assert set(json.loads(decision.entry)["facts"]) <= grouped, "a new fact needs a heading"


def test_every_fact_has_words_of_its_own(officer: Client, decision: Decision) -> None:
    known = json.loads(decision.entry)["facts"]
    paths = {
        f"{name}.{member}" if isinstance(value, dict) else name
        for name, value in known.items()
        if name != "ancestors"
        for member in (value if isinstance(value, dict) else [""])
    }

    assert paths <= facts._LABELS.keys(), "a new fact needs a label"
    page = _page(officer, decision)
    for said in ("Answer in force", "Refused", "Law that applies", "Answered under a version that still counts"):
        assert said in page
    for raw in ("segment k", "gpp opt out", "Consent: ", "denial_obligations"):
        assert raw not in page[: page.index("Log entry")]


def test_a_fact_without_words_keeps_its_place() -> None:
    shown = facts.in_groups({"consent": {"state": "given", "mood": "good"}})

    assert "Answer in force" in shown
    assert "Consent: mood" in shown


def test_a_fact_without_a_heading_is_shown_at_the_end() -> None:
    assert "Other facts" in facts.in_groups({"purpose": "p", "weather": "rain"})
    assert "Other facts" not in facts.in_groups({"purpose": "p"})


def test_the_rules_that_fired_are_named(officer: Client, decision: Decision) -> None:
    page = _page(officer, decision)

    assert "Rules that fired" in page
    assert ".rego:" in page[page.index("Evaluated again") :]


def test_a_decision_whose_bundle_is_gone_says_so(decision: Decision) -> None:
    decision.bundle_revision = "sha256:" + "0" * 64

    assert facts.fired(decision) == "The bundle that decided cannot be evaluated again here."


def test_a_failure_before_any_rule_says_so(decision: Decision) -> None:
    decision.entry = json.dumps({**json.loads(decision.entry), "engine": "none"})

    assert facts.fired(decision).startswith("No rule was asked")
