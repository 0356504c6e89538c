"""Frequency caps: counted where the person permits it, held without counting where not, erased with the person."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from consent.models import DataCategory, Purpose
from consent.pseudonyms import subject_ref
from consent.register import register
from oversight import guard
from personalization.models import Item, Showing
from personalization.serving import reading
from personalization.showings.caps import Caps
from personalization.showings.stores import SHOWINGS_FOR_ANSWERS
from policies.registers.descriptors import cap_narrows
from tests.helpers import frequency_caps
from tests.personalization.conftest import SHOP

pytestmark = pytest.mark.django_db
Ask = Callable[..., dict[str, Any]]
IDS = [item.id for item in SHOP.items]


@pytest.fixture
def counted(register_in_force: None) -> None:
    """A purpose whose notice names showings among its data."""
    with guard.writing("test"):
        DataCategory.objects.get_or_create(slug="showings", defaults={"name": "What you were shown"})
    purpose = Purpose.objects.get(slug="recommendations")
    purpose.data_categories = [*purpose.data_categories, "showings"]
    register.save_purpose(purpose, actor="officer:test")
    register.publish_notice(purpose=purpose, text="More.", actor="officer:test", is_material=True)


@pytest.fixture
def reader(counted: None, api: Any, remember: Any, request: pytest.FixtureRequest) -> str:
    """A person with a history who agreed to be counted."""
    request.getfixturevalue("deployed")
    assert api.save("customer-1", "give").status_code == 201
    remember("customer-1", IDS[:6])
    return "customer-1"


def shown(answer: dict[str, Any]) -> list[str]:
    return [item["item"] for item in answer["items"]]


@pytest.mark.usefixtures("either_engine")
def test_a_promotion_is_shown_so_often_and_not_again(ask: Ask, reader: str) -> None:
    first = shown(ask(reader))[0]
    Item.objects.filter(pk=first).update(is_promoted=True)
    frequency_caps.cap("ads", "promotions", most=2, days=7)

    assert [first in shown(ask(reader)) for _ in range(4)] == [True, True, False, False]
    assert len(shown(ask(reader))) == 10, "another item has its place"
    assert list(Showing.objects.values_list("item", flat=True)) == [first], "what is under no cap is not counted"


def test_an_item_comes_back_when_its_days_are_over(ask: Ask, reader: str) -> None:
    frequency_caps.cap("items", "items", most=1, days=3)
    first = shown(ask(reader))[0]
    assert first not in shown(ask(reader))

    day = timezone.now().date()
    Showing.objects.filter(item=first).update(days=[day - timedelta(days=2)])
    assert first not in shown(ask(reader))
    Showing.objects.filter(item=first).update(days=[day - timedelta(days=3)])
    assert first in shown(ask(reader))
    assert Showing.objects.get(item=first).days == [day], "what lies further back than any cap is gone"


def test_of_two_caps_both_hold(ask: Ask, reader: str) -> None:
    frequency_caps.cap("day", "items", most=1, days=1)
    frequency_caps.cap("month", "items", most=2, days=30)
    first, yesterday = shown(ask(reader))[0], timezone.now().date() - timedelta(days=1)
    Showing.objects.filter(item=first).update(days=[yesterday])

    assert first in shown(ask(reader))
    Showing.objects.filter(item=first).update(days=[yesterday, yesterday])
    assert first not in shown(ask(reader))


def test_who_is_not_counted_sees_no_promotion_under_a_cap_and_leaves_nothing(ask: Ask, api: Any, reader: str) -> None:
    general = shown(ask("never-seen", count=100))
    Item.objects.filter(pk__in=general[:3]).update(is_promoted=True)
    assert set(general[:3]) <= set(shown(ask("never-seen", count=100)))

    frequency_caps.cap("ads", "promotions", most=2, days=7)

    for person, asked in (
        ("never-seen", {}),
        (reader, {"requested_level": "none"}),
        (reader, {"mode": "non_profiled"}),
    ):
        assert not set(general[:3]) & set(shown(ask(person, count=100, **asked)))
    assert not Showing.objects.exists()


def test_a_purpose_that_does_not_name_showings_counts_nothing(ask: Ask, api: Any, deployed: Any, remember: Any) -> None:
    api.save("customer-1", "give")
    remember("customer-1", IDS[:6])
    first = shown(ask())[0]
    Item.objects.filter(pk=first).update(is_promoted=True)

    frequency_caps.cap("ads", "promotions", most=5, days=7)
    frequency_caps.cap("items", "items", most=1, days=7)

    answers = [ask(), ask()]
    assert [answer["level"] for answer in answers] == ["individual", "individual"]
    assert all(first not in shown(answer) for answer in answers)
    assert shown(answers[0]) == shown(answers[1])
    assert not Showing.objects.exists()


def test_a_withdrawal_and_an_erasure_leave_no_showing(ask: Ask, reader: str) -> None:
    frequency_caps.cap("items", "items", most=3, days=7)
    ask(reader)
    ref = subject_ref(reader)
    assert Showing.objects.filter(subject_ref=ref).count() == 10
    assert len(SHOWINGS_FOR_ANSWERS.export(ref)) == 10

    Showing.objects.filter(subject_ref=ref).delete()
    limits = Caps(ref, "recommendations", 0, ((3, 7, False),))  # as of a revision before a withdrawal
    assert limits.count([IDS[0]]) == {IDS[0]}
    assert not Showing.objects.exists()


def test_two_at_once_share_the_last_place(reader: str) -> None:
    """The statement looks and adds under the lock of the row: each call of it sees what the one before left."""
    ref = subject_ref(reader)
    with connection.cursor() as cursor:
        cursor.execute("SELECT revision FROM consent_datasubject WHERE ref = %s", [ref])
        revision = cursor.fetchone()[0]
    limits = Caps(ref, "recommendations", revision, ((2, 7, False),))

    assert [limits.count(IDS[:2]) for _ in range(3)] == [frozenset(), frozenset(), set(IDS[:2])]
    assert limits.full() == set(IDS[:2])
    assert [len(days) for days in Showing.objects.values_list("days", flat=True)] == [2, 2]


def test_where_counting_fails_the_list_is_the_general_one_without_promotions(
    ask: Ask, reader: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    frequency_caps.cap("ads", "promotions", most=2, days=7)
    general = shown(ask(reader, requested_level="none"))
    Item.objects.filter(pk=general[0]).update(is_promoted=True)

    def silent(*_: object) -> None:
        raise reading.ReadingFailed

    monkeypatch.setattr(Caps, "count", silent)
    answer = ask(reader, count=100)
    assert (answer["level"], answer["fallback"]) == ("none", "information_unavailable")
    assert general[0] not in shown(answer)


def test_without_caps_no_statement_is_added(ask: Ask, reader: str, sql: list[str]) -> None:
    ask(reader)
    sql.clear()
    ask(reader)
    assert not [statement for statement in sql if "personalization_showing" in statement]


def test_one_officer_adds_a_cap_or_makes_it_stricter() -> None:
    cap = {"about": "promotions", "purposes": ["recommendations"], "most": 3, "days": 7, "reason": "x"}

    assert cap_narrows(None, cap)
    assert not cap_narrows(cap, None)
    assert cap_narrows(cap, {**cap, "most": 2, "days": 14, "purposes": []})
    assert not cap_narrows(cap, {**cap, "most": 4})
    assert not cap_narrows(cap, {**cap, "days": 6})
    assert not cap_narrows(cap, {**cap, "about": "items"})


def test_the_page_says_what_a_cap_does(officer: Any, send: Any, register_in_force: None) -> None:
    frequency_caps.cap("ads", "promotions", most=3, days=7)

    assert "a promotion 3 times in 7 days" in officer.get("/admin/policies/frequencycap/").content.decode()
    send(
        "/admin/policies/frequencycap/add/", slug="items", about="items", purposes="", most="5", days="1", reason="So."
    )
