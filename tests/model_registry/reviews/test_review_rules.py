"""Rules of review: a register whose changes are stricter or not, and samples that are the same people each time."""

import json
from typing import Any
from uuid import UUID

import pytest
from django.utils import timezone

from consent.pseudonyms import subject_ref
from model_registry.reviews.descriptors import narrows
from oversight.problems import ChangeRefused
from oversight.registers import find
from policies.bundles import loading
from policies.decisions import facts
from policies.decisions.information import NOTHING
from policies.decisions.questions import Question
from policies.models import ActiveBundle
from tests.helpers import reviews


@pytest.mark.usefixtures("register_in_force")
@pytest.mark.django_db
def test_a_sample_is_a_stable_share_of_people() -> None:
    reviews.rule("some", share=30)
    bundle = loading.load("test", {}, ActiveBundle.objects.get().bundle.data)

    def is_inside(ref: UUID) -> bool:
        asked = Question(subject_ref=ref, action="personalize", purpose="recommendations")
        sheet = json.loads(facts.build(asked, NOTHING, bundle, timezone.now().timestamp()).document)
        assert sheet.get("unsampled_reviews", []) in ([], ["some"])
        return "unsampled_reviews" not in sheet

    people = [subject_ref(f"person-{number}") for number in range(1_000)]
    inside = [is_inside(person) for person in people]

    # Six standard deviations of a share of 30 per cent of 1,000.
    assert abs(sum(inside) - 300) < 6 * 14.5
    assert [is_inside(person) for person in people[:50]] == inside[:50]


@pytest.mark.usefixtures("register_in_force")
@pytest.mark.django_db
def test_only_personalisation_carries_a_sample() -> None:
    reviews.rule("some", share=1)
    bundle = loading.load("test", {}, ActiveBundle.objects.get().bundle.data)
    asked = Question(subject_ref=subject_ref("person"), action="collect", purpose="recommendations")

    assert b"unsampled_reviews" not in facts.build(asked, NOTHING, bundle, 0.0).document


@pytest.mark.usefixtures("register_in_force")
@pytest.mark.django_db
def test_a_rule_about_data_that_nobody_registered_is_refused() -> None:
    with pytest.raises(ChangeRefused, match="unheard-of"):
        reviews.rule("odd", category="unheard-of")


RULE: dict[str, Any] = {
    "purpose": "recommendations", "category": "views", "from_level": "behavioral", "confidence_below": 50,
    "share": 50, "four_eyes": False, "due_hours": 24, "serve_hours": 24, "is_active": True,
}  # fmt: skip


@pytest.mark.parametrize(
    ("change", "is_stricter"),
    [
        ({"purpose": None}, True),
        ({"purpose": "newsletter"}, False),
        ({"category": ""}, True),
        ({"from_level": "segment"}, True),
        ({"from_level": "individual"}, False),
        ({"confidence_below": None}, True),
        ({"confidence_below": 40}, False),
        ({"share": 51}, True),
        ({"share": 49}, False),
        ({"four_eyes": True}, True),
        ({"due_hours": 25}, False),
        ({"serve_hours": 23}, True),
        ({"is_active": False}, False),
    ],
)
def test_a_change_narrows_where_more_is_reviewed(change: dict[str, Any], is_stricter: bool) -> None:
    assert narrows(RULE, {**RULE, **change}) is is_stricter
    assert find("review_rule").narrows is narrows
