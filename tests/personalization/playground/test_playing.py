"""Made-up people: their lists are those of people, what rules hide is named, and nothing of a play is kept."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from common.levels import LEVELS
from model_registry import services
from model_registry.models import ModelVersion
from oversight.changes import applying
from oversight.changes.documents import Proposed
from personalization import engine
from personalization.monitors import tally
from personalization.playground import playing
from personalization.playground.people import Deed, MadeUp
from personalization.playground.playing import NotPlayable
from personalization.recommender.groups import forming
from personalization.recommender.model import Model
from policies import engines
from policies.decisions import evaluate
from policies.models import ActiveBundle
from tests.helpers import ranking_rules
from tests.helpers.registers import drafted, make_officer
from tests.personalization.conftest import SHOP
from tests.personalization.display.test_hidden_items import NO_ALCOHOL

pytestmark = pytest.mark.django_db
LIKED = [item.id for item in SHOP.items[:6]]
BOTTLES = [item.id for item in SHOP.items if "alcohol" in item.categories]
_FIRST = next(number for number, item in enumerate(SHOP.items) if item.id in BOTTLES)
BESIDE = [item.id for item in SHOP.items[_FIRST // 5 * 5 :][:5] if item.id not in BOTTLES]
"""Other things of the interest that the bottles belong to."""


def _adult(**changes: Any) -> MadeUp:
    deeds = tuple(Deed(item, "like") for item in LIKED)
    return MadeUp(**{"purpose": "recommendations", "region": "DE", "age_band": "adult", "deeds": deeds, **changes})


def _codes(column: Any) -> list[str]:
    return [each.code for each in column.rendered.verdict.reasons]


@pytest.fixture
def rule() -> None:
    """A rule that hides alcohol from minors, in force."""
    author = make_officer("author")
    change = drafted(author, Proposed("display_rule", "alcohol", NO_ALCOHOL))
    applying.apply_protectively(change, actor=author, reason="a complaint")


@pytest.mark.parametrize("level", LEVELS)
def test_a_list_is_that_of_a_person_who_did_the_same(
    deployed: ModelVersion, people: Any, remember: Any, ask: Any, level: str
) -> None:
    people("real", 1, items=0)
    remember("real-0", LIKED)
    served = ask("real-0", requested_level=level)

    column = next(each for each in playing.play(_adult()).columns if each.level == level)

    assert served["level"] == column.listed.used
    assert served["items"] == list(column.listed.items)


def test_a_visit_and_a_no_count_as_they_do_for_people(deployed: ModelVersion) -> None:
    unwanted = SHOP.items[20].id
    person = _adult(deeds=(*_adult().deeds, Deed(unwanted, "skip"), Deed(SHOP.items[7].id, "view", is_now=True)))

    by_level = {column.level: column.listed for column in playing.play(person).columns}

    shown = {level: {each["item"] for each in listed.items} for level, listed in by_level.items()}
    assert unwanted not in shown["individual"]
    speaking = {reason["item"] for each in by_level["contextual"].items for reason in each["because"]}
    assert SHOP.items[7].id in speaking
    assert SHOP.items[7].id not in {r["item"] for each in by_level["behavioral"].items for r in each["because"]}


@pytest.mark.usefixtures("rule")
def test_what_a_rule_hides_from_a_minor_is_named_with_the_rule(deployed: ModelVersion) -> None:
    deeds = tuple(Deed(item, "like") for item in BESIDE)

    played = playing.play(_adult(age_band="minor", deeds=deeds))

    assert played.permitted == "none"
    assert "minor" in _codes(played.columns[-1])
    individual = played.columns[-1]
    hidden = {each.title: each.rules for each in individual.hidden}
    titles = {item.title for item in SHOP.items if "alcohol" in item.categories}
    assert hidden
    assert set(hidden) <= titles
    assert set(hidden.values()) == {("alcohol",)}
    assert not {each["item"] for column in played.columns for each in column.listed.items} & set(BOTTLES)
    assert not any(column.hidden for column in playing.play(_adult(deeds=deeds)).columns), "an adult is shown them"


@pytest.mark.parametrize(
    ("changes", "permitted", "code"),
    [
        ({}, "individual", None),
        ({"most": "segment"}, "segment", "level_capped_by_choice"),
        ({"choice": "refused"}, "none", "consent_refused"),
        ({"choice": "withdrawn"}, "none", "consent_withdrawn"),
        ({"choice": "never_asked"}, "none", "consent_missing"),
        ({"age_band": "minor"}, "none", "minor"),
    ],
)
def test_the_rules_in_force_say_what_is_permitted_and_why(
    deployed: ModelVersion, changes: dict[str, Any], permitted: str, code: str | None
) -> None:
    played = playing.play(_adult(**changes))

    assert played.permitted == permitted
    if code:
        assert code in _codes(played.columns[-1])
    assert [column.level for column in played.columns] == list(LEVELS)
    assert [column.is_permitted for column in played.columns if LEVELS[column.level] > LEVELS[permitted]] == [
        False
    ] * sum(rank > LEVELS[permitted] for rank in LEVELS.values())


def test_a_play_writes_nothing_and_counts_nothing(
    deployed: ModelVersion, monkeypatch: pytest.MonkeyPatch, own_breaker: Any
) -> None:
    def refuse(*_: Any) -> None:
        raise AssertionError("a play left a trace")

    monkeypatch.setattr(evaluate._spool, "append", refuse)
    monkeypatch.setattr(own_breaker, "failed", refuse)
    monkeypatch.setattr(own_breaker, "succeeded", refuse)
    monkeypatch.setattr(engines, "for_revision", refuse)  # an OPA server may log what it is asked
    before = tally.counts().own()
    tally.take_shown()

    with CaptureQueriesContext(
        connection,
    ) as asked:
        playing.play(_adult())

    assert {query["sql"].split()[0] for query in asked.captured_queries} == {"SELECT"}
    assert tally.counts().own() == before
    assert not tally.take_shown()


def test_a_model_that_cannot_be_used_leaves_the_general_list(
    deployed: ModelVersion, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any) -> None:
        raise engine.EngineFailed("model_unusable")

    monkeypatch.setattr(engine, "load", broken)

    listed = [column.listed for column in playing.play(_adult()).columns]

    assert {each.used for each in listed} == {"none"}
    assert {each.fallback for each in listed} == {"model_unusable"}
    assert all(each.items for each in listed)


def test_a_suspended_model_is_played_and_the_rules_deny_it(deployed: ModelVersion) -> None:
    services.change_status(version_id=deployed.pk, status="suspended", actor="officer:test")

    played = playing.play(_adult())

    assert played.permitted == "none"
    assert "model_not_live" in _codes(played.columns[-1])
    assert played.columns[-1].listed.used == "individual"


def test_without_a_model_there_is_the_general_list_alone(shop: Any) -> None:
    assert {column.listed.fallback for column in playing.play(_adult()).columns} == {"no_model"}


def test_without_a_revision_in_force_there_is_nothing_to_play_by(deployed: ModelVersion) -> None:
    ActiveBundle.objects.all().delete()

    with pytest.raises(NotPlayable):
        playing.play(_adult())


class TestVisitors:
    """Made-up visitors, of whom there is no record."""

    LOOKED_AT = tuple(Deed(item.id, "view", is_now=True) for item in SHOP.items[2:7])

    @pytest.fixture
    def model_purposes(self, register_in_force: None) -> list[str]:
        ranking_rules.purpose_of_visits()
        return ["recommendations", ranking_rules.VISITS]

    def test_a_visitor_is_served_from_the_visit_where_a_purpose_allows_it(
        self, deployed: ModelVersion, api: Any
    ) -> None:
        visitor = _adult(purpose=ranking_rules.VISITS, choice="visitor", deeds=self.LOOKED_AT)
        assert playing.play(visitor).permitted == "none"

        ranking_rules.rule(ranking_rules.VISITS, serves_visitors=True)
        played = playing.play(visitor)

        body = {"purpose": ranking_rules.VISITS, "region": "DE", "age_band": "adult"}
        session = [deed.item for deed in self.LOOKED_AT]
        served = api.post("/api/v1/recommendations/visit", {**body, "session": session}).json()
        assert played.permitted == served["level"] == "contextual"
        assert next(each for each in played.columns if each.level == "contextual").listed.items == served["items"]

    def test_what_a_visitor_did_before_counts_at_no_level(self, deployed: ModelVersion) -> None:
        before = tuple(Deed(item, "like") for item in LIKED)
        visitor = _adult(purpose=ranking_rules.VISITS, choice="visitor", deeds=(*before, *self.LOOKED_AT[:2]))

        spoken = {r["item"] for each in playing.play(visitor).columns for i in each.listed.items for r in i["because"]}

        assert spoken <= {deed.item for deed in self.LOOKED_AT[:2]}


def test_a_group_is_served_where_the_rule_of_ranking_names_its_kind(
    deployed: ModelVersion, trained_model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    grouped = forming.added(trained_model, SHOP.interactions, [forming.Kind.TASTE]).model
    monkeypatch.setattr(engine, "load", lambda *_: grouped)
    [(key, said), *_] = playing.groups()
    assert said.startswith("Popular with people of similar taste")
    person = _adult(region="", group=key)

    def segment() -> playing.Listed:
        return next(each.listed for each in playing.play(person).columns if each.level == "segment")

    assert segment().used == "none"
    ranking_rules.rule("recommendations", segment_list="taste")
    assert segment().used == "segment"
    assert {each["why"] for each in segment().items} == {said}
