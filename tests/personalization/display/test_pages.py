"""The page of rules of display: the list says whom each hides what from, and the form drafts a rule."""

from typing import Any

import pytest

from oversight.models import Change
from tests.helpers import display_rules

pytestmark = pytest.mark.django_db


@pytest.mark.usefixtures("register_in_force")
def test_the_list_says_whom_a_rule_protects_and_the_form_drafts_one(officer: Any, send: Any) -> None:
    display_rules.rule("alcohol", "alcohol", age_bands=["minor"], regions=["eea"])

    page = officer.get("/admin/policies/displayrule/").content.decode()
    send(
        "/admin/policies/displayrule/add/", slug="tobacco", item_categories="tobacco, e-cigarettes",
        age_bands=["minor"], regions="DE, us", purposes="", from_day="", until_day="", reason="A law.",
    )  # fmt: skip

    assert "minor, unknown age" in page
    after = Change.objects.get(register="display_rule", key="tobacco").after
    assert (after["item_categories"], after["regions"]) == (["tobacco", "e-cigarettes"], ["DE", "us"])
