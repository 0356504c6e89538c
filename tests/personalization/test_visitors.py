"""Visitors without a record: decided by a purpose of its own, served from this visit, stored and logged nowhere."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from oversight.changes import applying, preview, undoing
from oversight.changes.documents import Proposed
from oversight.problems import ChangeRefused
from personalization.models import Item
from personalization.recommender.interactions import Interaction
from personalization.recommender.model import Model
from personalization.serving import reading
from policies.models import RankingRule
from policies.registers.descriptors import ranking_narrows
from tests.helpers import display_rules, ranking_rules, reviews
from tests.helpers.ranking_rules import VISITS
from tests.helpers.registers import drafted, in_force, make_officer
from tests.personalization.conftest import SHOP

pytestmark = pytest.mark.django_db
Visit = Callable[..., dict[str, Any]]
IDS = [item.id for item in SHOP.items]
LOOKED_AT = IDS[2:7]
OPEN = {"purpose": VISITS, **RankingRule(serves_visitors=True).document()}


@pytest.fixture
def model_purposes(register_in_force: None) -> list[str]:
    ranking_rules.purpose_of_visits()
    return ["recommendations", VISITS]


@pytest.fixture
def visit(api: Any, deployed: Any) -> Visit:
    """Ask for a visitor and return the answer's document."""

    def ask(session: list[str] = LOOKED_AT, **members: Any) -> dict[str, Any]:
        body = {"purpose": VISITS, "session": session, "region": "DE", "age_band": "adult", **members}
        answer = api.post("/api/v1/recommendations/visit", body)
        assert answer.status_code == 200, answer.content
        assert answer["Cache-Control"] == "no-store"
        return answer.json()

    return ask


def shown(answer: dict[str, Any]) -> list[str]:
    return [item["item"] for item in answer["items"]]


@pytest.mark.usefixtures("either_engine")
def test_a_visitor_is_served_once_two_officers_opened_a_purpose(visit: Visit) -> None:
    anna, ben = make_officer("anna"), make_officer("ben")
    before = visit()
    assert (before["level"], before["reasons"][0]["code"]) == ("none", "action_not_allowed")
    assert before["reasons"][0]["detail"] == "visitor"

    with pytest.raises(ChangeRefused, match="only take permission away"):
        applying.apply_protectively(drafted(anna, Proposed("ranking_rule", VISITS, OPEN)), actor=anna, reason="")
    change = in_force(anna, ben, Proposed("ranking_rule", VISITS, OPEN))

    answer = visit()
    assert (answer["level"], answer["fallback"], answer["reasons"]) == ("contextual", None, [])
    assert {item["basis"] for item in answer["items"]} == {"session"}
    assert all(item["why"].startswith("Because you looked at") for item in answer["items"])
    assert not set(shown(answer)) & set(LOOKED_AT)

    undo = preview.check(undoing.undo(change, actor=anna))
    applying.apply_protectively(undo, actor=anna, reason="one officer is enough")
    assert visit()["level"] == "none"


@pytest.fixture
def opened(deployed: Any) -> None:
    ranking_rules.rule(VISITS, serves_visitors=True)


@pytest.mark.usefixtures("opened")
def test_what_answers_is_the_model_by_the_sequence_alone(visit: Visit, trained_model: Model) -> None:
    expected = trained_model.recommend("contextual", session=[Interaction(item) for item in LOOKED_AT])

    assert shown(visit()) == [each.item.id for each in expected.recommendations]
    assert shown(visit(LOOKED_AT[:1] + IDS[30:33])) != shown(visit())
    assert shown(visit([LOOKED_AT[0], "no-such-item", *LOOKED_AT[1:]])) == shown(visit())
    nothing = visit(["no-such-item"])
    assert (nothing["level"], nothing["fallback"]) == ("none", "too_little_history")
    assert nothing["items"], "the general list"


@pytest.mark.usefixtures("opened")
def test_nothing_is_stored_and_the_log_names_neither_items_nor_anybody(visit: Visit, own_spool: Path) -> None:
    before = rows()

    visit()

    assert rows() == before
    [line] = [line for path in own_spool.iterdir() for line in path.read_text().splitlines()]
    assert json.loads(line)["subject"] == ""
    assert json.loads(line)["facts"]["visitor"] is True
    assert not [item for item in IDS if f'"{item}"' in line]


def rows() -> dict[str, int]:
    with connection.cursor() as cursor:
        tables = connection.introspection.table_names(cursor)
        found = {}
        for table in tables:
            cursor.execute(f'SELECT count(*) FROM "{table}"')
            found[table] = cursor.fetchone()[0]
    return found


@pytest.mark.usefixtures("opened")
def test_it_costs_the_statement_of_the_decision_alone(visit: Visit, sql: list[str]) -> None:
    visit()
    sql.clear()
    before = reading.executions()

    visit()

    assert reading.executions() == before, "items are held, and no history is read"


@pytest.mark.usefixtures("opened")
@pytest.mark.parametrize(
    ("members", "reason"),
    [
        ({"purpose": "recommendations"}, "action_not_allowed"),
        ({"age_band": "child"}, "minor"),
        ({"purpose": "unheard-of"}, "purpose_unknown"),
        ({"region": None}, "region_unknown"),
        ({"age_band": "minor"}, "minor"),
        ({"signals": {"gpc": True}}, "level_capped_by_signal"),
        ({"processing_region": "us-east"}, "residency"),
    ],
)
def test_where_the_policy_refuses_the_list_is_the_general_one(
    visit: Visit, members: dict[str, Any], reason: str
) -> None:
    answer = visit(**members)

    assert answer["level"] == "none"
    assert reason in [each["code"] for each in answer["reasons"]]
    assert {item["basis"] for item in answer["items"]} == {"popular"}


@pytest.mark.usefixtures("opened")
def test_a_rule_of_display_and_candidates_hold_for_visitors(visit: Visit) -> None:
    first, second = shown(visit())[:2]
    Item.objects.filter(pk=first).update(categories=["knives"])
    display_rules.rule("knives", "knives", age_bands=["minor"])

    assert shown(visit())[0] == first
    assert first not in shown(visit(age_band=None))
    display_rules.rule("all", "knives")
    assert first not in shown(visit())
    assert shown(visit(candidates=[first, second])) == [second]


@pytest.mark.usefixtures("opened")
def test_no_output_about_a_visitor_is_kept_for_a_review(visit: Visit) -> None:
    reviews.rule("all", purpose=VISITS)
    before = rows()

    answer = visit()

    assert (answer["level"], answer["fallback"]) == ("none", "obligation_not_supported")
    assert rows() == before


@pytest.mark.parametrize(
    "change",
    [
        {"session": []}, {"session": IDS[:21]}, {"session": None}, {"session": "x"}, {"session": ["a b"]},
        {"session": [1]}, {"purpose": None}, {"age_band": "elder"}, {"region": "de"}, {"count": 0}, {"count": 101},
        {"subject": {"id": "customer-1"}}, {"requested_level": "individual"}, {"candidates": []},
    ],
)  # fmt: skip
def test_what_is_no_visit_is_refused(api: Any, register_in_force: None, change: dict[str, Any]) -> None:
    body = {"purpose": VISITS, "session": LOOKED_AT, **change}

    refused = api.post("/api/v1/recommendations/visit", body)

    assert refused.status_code == 400
    assert refused["Content-Type"] == "application/problem+json"


def test_a_purpose_that_rests_on_consent_cannot_be_opened(register_in_force: None) -> None:
    anna, ben = make_officer("anna"), make_officer("ben")

    for purpose in ("recommendations", "unheard-of"):
        with pytest.raises(ChangeRefused):
            in_force(anna, ben, Proposed("ranking_rule", purpose, {**OPEN, "purpose": purpose}))
    assert not RankingRule.objects.exists()


def test_to_serve_visitors_takes_two_officers_and_to_stop_it_one() -> None:
    closed = {**OPEN, "serves_visitors": False}

    assert ranking_narrows(OPEN, closed)
    assert ranking_narrows(OPEN, None)
    assert ranking_narrows(None, closed)
    assert not ranking_narrows(closed, OPEN)
    assert not ranking_narrows(None, OPEN)
