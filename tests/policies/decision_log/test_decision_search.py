"""The decision log for officers: filters, pages, and how far a search looks."""

from collections.abc import Callable
from datetime import timedelta
from itertools import pairwise
from typing import Any
from uuid import UUID

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from audit.models import AuditEvent
from common.admin_pages.log_filters import BadFilter, read_zone
from consent.models import DataSubject
from policies.decision_log import drainer
from policies.decision_log.search import filters
from policies.decision_log.search.filters import MOST_READ, PAGE, Filter, page
from policies.endpoints import credentials
from policies.models import Decision
from tests.helpers import volume
from tests.helpers.scale import scale
from tests.helpers.wsgi_calls import call, question

pytestmark = pytest.mark.django_db
LIST = "/admin/policies/decision/"


@pytest.fixture
def log(api: Any, own_spool: Any) -> list[Decision]:
    """A permit, one that could not be decided, and a denial that another service was given about the newsletter."""
    api.save("customer-1", "give")
    call(question(), api.token)
    call(question("stranger"), api.token)
    other = credentials.create_credential(name="letters", scopes=credentials.SERVICE_SCOPES, actor="test")[0]
    call(question(action={"name": "contact", "properties": {"purpose": "newsletter"}}), other)
    drainer.drain(own_spool)
    return list(Decision.objects.order_by("pk"))


def found(**chosen: str) -> list[str]:
    return [f"{each.outcome} {each.purpose}" for each in page(Filter(**chosen)).decisions]


ALL = ["deny newsletter", "unknown recommendations", "permit recommendations"]


@pytest.mark.parametrize(
    ("chosen", "expected"),
    [
        ({}, ALL),
        ({"since": "hour"}, ALL),
        ({"outcome": "permit"}, ["permit recommendations"]),
        ({"outcome": "unknown"}, ["unknown recommendations"]),
        ({"reason": "subject_unknown"}, ["unknown recommendations"]),
        ({"reason": "subject_unknown", "outcome": "unknown"}, ["unknown recommendations"]),
        ({"reason": "subject_unknown", "outcome": "deny"}, []),
        ({"reason": "objection"}, []),
        ({"reason": "subject_unknown", "caller": "service:shop"}, ["unknown recommendations"]),
        ({"reason": "subject_unknown", "caller": "service:letters"}, []),
        ({"purpose": "newsletter"}, ["deny newsletter"]),
        ({"action": "contact"}, ["deny newsletter"]),
        ({"action": "train"}, []),
        ({"caller": "service:letters"}, ["deny newsletter"]),
        ({"caller": "service:shop", "outcome": "deny"}, []),
        ({"caller": "service:shop", "outcome": "unknown"}, ["unknown recommendations"]),
        ({"level": "individual", "outcome": "permit"}, ["permit recommendations"]),
        ({"revision": "sha256:none"}, []),
        ({"q": "newslet"}, ["deny newsletter"]),
        ({"q": "Recommend"}, ["unknown recommendations", "permit recommendations"]),
        ({"q": "recommendations letter"}, []),
        ({"start": "1960-01-01", "end": "1960-01-02"}, []),
        ({"start": "9990-01-01"}, []),
    ],
)
def test_filters_find_decisions(log: list[Decision], chosen: dict[str, str], expected: list[str]) -> None:
    assert found(**chosen) == expected


def test_a_search_finds_a_decision_and_a_person_by_number(log: list[Decision]) -> None:
    person = DataSubject.objects.get(consents__recommendations__s="given")

    assert found(q=str(log[0].pk)) == ["permit recommendations"]
    assert found(q=str(person.ref)) == ["deny newsletter", "permit recommendations"]
    assert found(q=str(person.ref), outcome="deny") == ["deny newsletter"]
    assert found(q=str(person.ref), caller="service:nobody") == []
    assert found(q=str(UUID(int=1))) == []


def test_decisions_are_found_by_the_rules_in_force(log: list[Decision]) -> None:
    assert len(found(revision=log[0].bundle_revision)) == 3
    assert len(found(revision=log[0].bundle_revision, outcome="permit")) == 1


def test_a_day_is_the_officers_own(log: list[Decision]) -> None:
    def on(zone: str) -> int:
        today = timezone.now().astimezone(read_zone(zone)).date().isoformat()
        return len(found(start=today, end=today, zone=zone))

    assert [on(zone) for zone in ("UTC", "Pacific/Kiritimati", "America/Los_Angeles")] == [3, 3, 3]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"id__regex": "["}, "There is no filter “id__regex”"),
        ({"start": "tuesday"}, "“tuesday” is no date"),
        ({"since": "ever"}, "“ever” is no span"),
        ({"zone": "Mars/Base"}, "“Mars/Base” is no time zone"),
        ({"before": "1 OR 1=1"}, "identifier of an entry"),
        ({"q": "!!!"}, "Search for words"),
    ],
)
def test_a_filter_that_cannot_be_read_is_refused(officer: Client, given: dict[str, str], message: str) -> None:
    with pytest.raises(BadFilter, match=message[:16]):
        page(Filter.of(given))
    shown = officer.get(LIST, given)
    assert shown.status_code == 400
    assert message in shown.content.decode()
    assert "No decision fits" not in shown.content.decode(), "nothing is shown as if it had been read"
    assert officer.get(f"{LIST}export.csv", given).status_code == 400


def test_the_form_keeps_what_was_chosen(officer: Client, log: list[Decision]) -> None:
    chosen = {"purpose": "newsletter", "reason": "gone", "start": "2026-01-01", "zone": "Asia/Tokyo"}

    shown = officer.get(LIST, chosen).content.decode()

    assert '<option value="newsletter" selected>' in shown
    assert '<option value="gone" selected>gone</option>' in shown, "what is no longer offered stays chosen"
    assert 'name="start" value="2026-01-01"' in shown
    assert 'name="zone" value="Asia/Tokyo"' in shown


def test_a_search_for_a_person_is_an_audit_event(officer: Client, log: list[Decision]) -> None:
    person = DataSubject.objects.get(consents__recommendations__s="given")

    officer.get(LIST, {"q": str(person.ref)})
    officer.get(LIST, {"q": "newsletter"})

    looks = AuditEvent.objects.filter(action="subject.looked_up")
    assert [(look.object, look.details["page"]) for look in looks] == [(str(person.ref), "decision log list")]


# Pages


@pytest.fixture
def many(register_in_force: None) -> Callable[[int], None]:
    return lambda count: volume.add_decisions(count, days=2)


def test_the_next_page_goes_on_where_this_one_ended(officer: Client, many: Callable[[int], None]) -> None:
    many(PAGE * 2 + 5)
    there = {str(pk) for pk in Decision.objects.values_list("pk", flat=True)}
    first = officer.get(LIST)
    many(30)  # decided meanwhile: nothing moves to the next page

    second = officer.get(f"{LIST}?{first.context['older']}")
    third = officer.get(f"{LIST}?{second.context['older']}")

    urls = [each["url"] for shown in (first, second, third) for each in shown.context["decisions"]]
    assert len(urls) == len(set(urls))
    assert there <= {url.split("/")[-3] for url in urls}
    assert third.context["older"] == ""
    assert "Newest" in third.content.decode()


def test_a_search_says_how_far_it_looked(
    officer: Client, many: Callable[[int], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(filters, "MOST_READ", 800)
    many(2_500)  # the actions of two of them are rare
    seen, query, steps = [], "action=train", 0
    while True:
        shown = officer.get(f"{LIST}?{query}")
        seen += [each["url"] for each in shown.context["decisions"]]
        if not shown.context["older"]:
            break
        assert "Look further back" in shown.content.decode()
        assert "No decision fits" not in shown.content.decode()
        query, steps = shown.context["older"], steps + 1

    assert len(seen) == len(set(seen)) == Decision.objects.filter(action="train").count() == 2
    assert steps == 3


# What it costs

QUERIES = [
    {},
    {"since": "day"},
    {"outcome": "deny"},
    {"outcome": "unknown"},
    {"reason": "engine_unavailable"},
    {"reason": "consent_withdrawn"},
    {"caller": "service:rare"},
    {"caller": "service:nowhere"},
    {"purpose": "newsletter", "outcome": "permit"},
    {"action": "delete"},
    {"level": "none", "caller": "service:rare"},
    {"q": "newsletter"},
    {"q": "019c1a5e-7f0a-7cc3-98c4-dc0c0c07398f"},
    {"start": "2020-01-01", "end": "2030-01-01", "action": "train"},
]


@pytest.mark.parametrize("chosen", QUERIES, ids=str)
def test_the_list_costs_the_same_statements_with_more(
    officer: Client, many: Callable[[int], None], sql: list[str], chosen: dict[str, str]
) -> None:
    def cost() -> list[str]:
        sql.clear()
        assert officer.get(LIST, chosen).status_code == 200
        return list(sql)

    many(30)
    cost()
    few = cost()
    many(300)
    more = cost()

    assert len(few) == len(more) <= 15
    reads = [text for text in more if "policies_decision" in text and "INSERT" not in text]
    assert len(reads) <= 2
    assert not [text for text in reads if "count(" in text.lower()]
    assert not [text for text in reads if '"entry"' in text], "entries are long, and on the page of one decision"


@scale("decisions", small=6_000, long=1_000_000)
def test_filters_read_few_decisions_of_a_long_log(
    register_in_force: None, decisions: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However rare what is searched: no page reads more rows than it may look at."""
    if decisions < MOST_READ:
        monkeypatch.setattr(filters, "MOST_READ", 500)
    volume.add_decisions(decisions, days=7)
    read: list[float] = []

    def explained(execute: Any, text: str, params: Any, *rest: Any) -> Any:
        if text.startswith("SELECT") and 'FROM "policies_decision"' in text:
            read.append(_read(text, params))
        return execute(text, params, *rest)

    for chosen in QUERIES:
        read.clear()
        with connection.execute_wrapper(explained):
            page(Filter(**chosen))
        # The answer of a GIN index is sorted: of a reason, all that have it are read where they are few.
        few = decisions // 900 if chosen.get("reason") == "engine_unavailable" else 0
        assert max(read) <= max(filters.MOST_READ, few), (chosen, read)


def _read(text: str, params: Any) -> float:
    """Return the most rows that one node of the plan reads."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")  # so short a table is read whole otherwise
    with connection.connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {text}", params)
        nodes = [cursor.fetchone()[0][0]["Plan"]]
    most = 0.0
    while nodes:
        node = nodes.pop()
        nodes += node.get("Plans", [])
        rows = node["Actual Rows"] + node.get("Rows Removed by Filter", 0)
        most = max(most, rows * node["Actual Loops"])
    return most


def test_pages_are_in_order_of_time(many: Callable[[int], None], register_in_force: None) -> None:
    many(120)
    shown = page(Filter()).decisions
    assert all(newer.decided_at >= older.decided_at for newer, older in pairwise(shown))
    assert shown[0].decided_at > timezone.now() - timedelta(hours=1)
