"""Preview of a change set: people, pages and rows, each figure with its method."""

import copy
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from common.actors import Officer
from consent.models import DataSubject, Purpose
from oversight import registers, rows
from oversight.admin import presenting
from oversight.changes.documents import Proposed
from oversight.models import ChangeSet
from personalization.models import Event, Item
from tests.helpers.registers import drafted, purpose_with, widened

pytestmark = pytest.mark.django_db
WIDER = ["views", "purchases", "ratings", "postal_address"]


def figures(change_set: ChangeSet) -> dict[str, tuple[Any, Any]]:
    return {figure["key"]: (figure["before"], figure["after"]) for figure in change_set.preview}


@pytest.fixture
def people(api: Any, anna: Officer) -> None:
    """Two who said yes to recommendations, one to the broader purpose alone, one no."""
    for person, choice, purpose in (
        ("customer-1", "give", "recommendations"),
        ("customer-2", "give", "recommendations"),
        ("customer-3", "give", "personalization"),
        ("customer-4", "refuse", "recommendations"),
    ):
        assert api.save(person, choice, purpose).status_code < 300


def test_people_whose_yes_covers_only_a_part_are_counted(people: None, anna: Officer) -> None:
    found = figures(drafted(anna, *widened("recommendations", is_material=False, data_categories=WIDER)))

    assert found["people/recommendations/given"] == (2, 2)
    assert found["people/recommendations/given_partly"] == (0, 2)
    assert found["people/recommendations/asked_again"] == (0, 0)
    assert found["people/recommendations/inherited"] == (1, 1)
    assert found["people/recommendations/inherited_partly"][1] == 1


def test_people_whom_a_material_text_asks_again_are_counted(people: None, anna: Officer) -> None:
    found = figures(drafted(anna, *widened("recommendations", data_categories=WIDER)))

    assert found["people/recommendations/given"] == (2, 0)
    assert found["people/recommendations/asked_again"] == (0, 2)


def test_an_answer_that_ran_out_counts_nowhere(people: None, anna: Officer) -> None:
    person = DataSubject.objects.filter(consents__recommendations__s="given").first()
    assert person is not None
    consents = copy.deepcopy(person.consents)
    consents["recommendations"]["x"] = int((timezone.now() - timedelta(days=1)).timestamp())
    DataSubject.objects.filter(pk=person.pk).update(consents=consents)

    found = figures(drafted(anna, *widened("recommendations", data_categories=WIDER)))

    assert found["people/recommendations/given"] == (1, 0)
    assert found["people/recommendations/asked_again"] == (0, 1)


def test_the_card_of_peoples_pages_is_shown_before_and_after(anna: Officer) -> None:
    change_set = drafted(anna, *widened("recommendations", data_categories=WIDER))

    assert figures(change_set)["page/recommendations/data_categories"] == (
        "views, purchases, ratings",
        "views, purchases, ratings, postal address",
    )
    assert figures(change_set)["page/recommendations/notice"] == ("1", "2")
    shown = [figure["label"] for figure in presenting.figures(change_set)]
    assert "People read of “Recommendations”: data used" in shown
    assert "People read of “Recommendations”: name" not in shown, "texts that stay are left out"


def test_every_figure_names_its_method(people: None, anna: Officer) -> None:
    change_set = drafted(anna, *widened("recommendations", data_categories=WIDER))

    assert change_set.preview
    assert all(figure["method"] for figure in change_set.preview)


def shortened(days: int) -> Proposed:
    register = registers.find("retention_schedule")
    before = rows.find_document(register, "recommendations")
    after = {**(before or {}), "retain_for": timedelta(days=days) // timedelta(microseconds=1)}
    return Proposed("retention_schedule", "recommendations", after)


def test_a_shorter_retention_shows_rows_and_their_oldest(api: Any, anna: Officer) -> None:
    api.save("customer-1", "give")
    old = timezone.now() - timedelta(days=40)
    item, _ = Item.objects.get_or_create(slug="item", defaults={"title": "Item"})
    ref = DataSubject.objects.get().ref
    Event.objects.create(
        id=ref, subject_ref=ref, purpose="recommendations", kind="like", item=item, weight=1, occurred_at=old
    )
    Event.objects.update(received_at=old)

    found = figures(drafted(anna, shortened(30)))

    assert found["due/recommendations/events"] == (0, 1)
    assert found["due/recommendations/events/oldest"] == ("", f"{old:%Y-%m-%d}")
    assert found["due/recommendations/events/sample"] == ("", f"{old:%Y-%m-%d}")


def test_a_longer_retention_needs_the_next_version(anna: Officer) -> None:
    change_set = drafted(anna, shortened(900))

    (finding,) = [found for found in change_set.findings if found["code"] == "notice_asks_everybody"]
    assert finding["is_error"]
    assert "Kept for 900 days" in finding["detail"]


def test_a_preview_scans_people_once_before_and_once_after(
    anna: Officer, sql: list[str], django_assert_max_num_queries: Any
) -> None:
    proposed = [purpose_with("recommendations", data_categories=["views"])]
    sql.clear()

    drafted(anna, *proposed)

    assert sum("FROM consent_datasubject" in statement for statement in sql) == 2
    assert Purpose.objects.get(slug="recommendations").data_categories != ["views"]


def scheduled(slug: str, **members: Any) -> Proposed:
    document = {
        "slug": slug, "purpose": None, "data_set": "events", "trigger": "received", "action": "delete",
        "retain_for": timedelta(days=30) // timedelta(microseconds=1), "keep_last": None, "kinds": [],
        "jurisdiction": "", "ground": "", "undo_days": 0, "is_active": True,
    }  # fmt: skip
    return Proposed("retention_schedule", slug, {**document, **members})


def test_the_effect_of_a_schedule_is_about_its_own_data_set(anna: Officer) -> None:
    profiles = scheduled("profiles", data_set="profiles", trigger="withdrawal", action="anonymise")

    shown = figures(drafted(anna, profiles))

    assert {name.split("/")[2] for name in shown if name.startswith("due/profiles")} == {"profiles"}


def test_a_legal_minimum_has_no_effect_to_show(anna: Officer) -> None:
    minimum = scheduled("tax", purpose="order_fulfilment", action="keep", kinds=["purchase"], ground="a law")

    assert not [name for name in figures(drafted(anna, minimum)) if name.startswith("due/")]
