"""Decisions during a rollout: a shadow leaves the answer alone, a share keeps to its people, no batch is mixed."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from common.rollouts.shares import FULL, are_in_share
from consent.pseudonyms import subject_ref
from policies.bundles import loading
from policies.decision_log import chain, drainer
from policies.decisions import evaluate, information
from policies.models import ActiveBundle, Decision, Rollout
from policies.rollout import service
from tests.helpers.rollouts import ANNA, BERTA, BROKEN, SAME, STRICT, start
from tests.helpers.wsgi_calls import EVALUATIONS, call, question

Spooled = Callable[[], list[dict[str, Any]]]
PEOPLE = [f"customer-{number}" for number in range(1, 60)]


def _active() -> str:
    return ActiveBundle.objects.get().bundle_id


def _candidate() -> str | None:
    return ActiveBundle.objects.get().candidate_id


def _revision(person: str, token: str) -> str:
    return call(question(person), token).json()["context"]["bundle_revision"]


def _is_in(rollout: Rollout, person: str) -> bool:
    return are_in_share([subject_ref(person)], share=rollout.share, salt=rollout.pk.to_bytes(8, "big"))


def _some(rollout: Rollout, *, inside: bool) -> list[str]:
    return [person for person in PEOPLE if _is_in(rollout, person) is inside]


def test_a_shadow_changes_no_answer_and_logs_what_it_would_have_said(shop_token: str, spooled: Spooled) -> None:
    before = call(question(), shop_token).json()
    start(STRICT)

    during = call(question(), shop_token).json()

    for answer in (before, during):
        answer["context"].pop("decision_id")
    assert during == before
    first, second = spooled()
    assert "shadow" not in first
    assert second["outcome"] == "permit"
    assert second["shadow"]["outcome"] == "deny"
    assert second["shadow"]["level"] == "none"
    assert second["shadow"]["revision"] == _candidate() != second["bundle_revision"]


def test_a_shadow_that_says_the_same_leaves_no_trace(shop_token: str, spooled: Spooled) -> None:
    start(SAME)

    call(question(), shop_token)

    assert "shadow" not in spooled()[0]


def test_a_candidate_that_fails_beside_the_answer_is_a_difference_with_its_reason(
    shop_token: str, spooled: Spooled
) -> None:
    start(BROKEN)

    assert call(question(), shop_token).json()["decision"] is True
    told = spooled()[0]["shadow"]
    assert (told["outcome"], told["reasons"]) == ("unknown", [{"code": "engine_undefined"}])


def test_whatever_a_candidate_raises_the_answer_stands(
    shop_token: str, spooled: Spooled, monkeypatch: pytest.MonkeyPatch
) -> None:
    start(STRICT)

    def fail(document: bytes, bundle: loading.LoadedBundle) -> Any:
        raise MemoryError

    monkeypatch.setattr(evaluate, "_of_candidate", fail)

    assert call(question(), shop_token).json()["decision"] is True
    assert spooled()[0]["shadow"]["reasons"] == [{"code": "engine_undefined"}]


def test_a_candidate_that_cannot_be_read_is_a_difference_too(
    shop_token: str, spooled: Spooled, monkeypatch: pytest.MonkeyPatch
) -> None:
    start(STRICT)
    candidate, usable = _candidate(), loading.usable
    monkeypatch.setattr(loading, "usable", lambda revision: None if revision == candidate else usable(revision))

    assert call(question(), shop_token).json()["decision"] is True
    assert spooled()[0]["shadow"]["reasons"] == [{"code": "bundle_missing"}]


def test_both_revisions_cost_one_statement(shop_token: str, sql: list[str]) -> None:
    start(STRICT)
    call(question(), shop_token)
    sql.clear()
    before = information.STATEMENT.executions

    call(question(), shop_token)

    assert information.STATEMENT.executions == before + 1
    assert sql == []


def test_the_candidate_is_evaluated_once_for_the_same_facts(shop_token: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loading, "_loaded", {})
    start(STRICT)
    candidate = _candidate()
    assert candidate is not None
    call(question(), shop_token)
    remembered = [(key, rendered) for key, rendered in evaluate.VERDICTS.items() if key[0] == candidate]

    call(question(), shop_token)

    assert len(remembered) == 1
    assert all(evaluate.VERDICTS.get(key) is rendered for key, rendered in remembered)


def test_the_share_is_answered_by_the_candidate_and_nobody_else(shop_token: str, spooled: Spooled) -> None:
    rollout = start(STRICT, share=5_000)
    inside, outside = _some(rollout, inside=True), _some(rollout, inside=False)
    assert len(inside) > 10 < len(outside)

    assert {_revision(person, shop_token) for person in inside} == {_candidate()}
    assert {_revision(person, shop_token) for person in outside} == {_active()}
    assert all("shadow" not in entry for entry in spooled())


def test_who_was_answered_by_the_candidate_stays_with_it_while_the_share_grows(shop_token: str) -> None:
    rollout = start(STRICT, share=2_000)
    first = {person for person in PEOPLE if _revision(person, shop_token) == _candidate()}

    service.set_share(rollout.pk, 6_000, actor=BERTA)
    second = {person for person in PEOPLE if _revision(person, shop_token) == _candidate()}
    service.set_share(rollout.pk, 2_000, actor=ANNA)
    third = {person for person in PEOPLE if _revision(person, shop_token) == _candidate()}

    assert first < second
    assert third == first


def _batch(people: list[str], token: str) -> set[str]:
    items = [{"subject": question(person)["subject"]} for person in people]
    shared = {name: value for name, value in question().items() if name != "subject"}
    told = call({**shared, "evaluations": items}, token, path=EVALUATIONS).json()["evaluations"]
    native = call({**shared, "decisions": items, "would_change": False}, token, path="/api/v1/decisions").json()
    revisions = {answer["context"]["bundle_revision"] for answer in told}
    assert {answer["bundle_revision"] for answer in native["decisions"]} == revisions
    return revisions


def test_a_batch_is_answered_from_one_revision_the_candidates_only_if_everybody_is_in_its_share(
    shop_token: str,
) -> None:
    rollout = start(STRICT, share=5_000)
    inside, outside = _some(rollout, inside=True), _some(rollout, inside=False)

    assert _batch(inside, shop_token) == {_candidate()}
    assert _batch(outside, shop_token) == {_active()}
    assert _batch([*inside, outside[0]], shop_token) == {_active()}


def test_at_100_per_cent_everybody_and_every_batch_is_answered_by_the_candidate(shop_token: str) -> None:
    start(STRICT, share=FULL)

    assert _batch(PEOPLE, shop_token) == {_candidate()}
    assert {_revision(person, shop_token) for person in PEOPLE[:5]} == {_candidate()}


def test_a_batch_in_a_shadow_logs_every_difference(shop_token: str, spooled: Spooled) -> None:
    start(STRICT)

    assert _batch(["customer-1", "stranger"], shop_token) == {_active()}
    # A stranger's region is unknown to both.
    assert ["shadow" in entry for entry in spooled()] == [True, False, True, False]


def test_a_preview_says_what_the_person_would_be_answered(shop_token: str) -> None:
    start(STRICT, share=FULL)
    from policies.endpoints.authzen import question_of

    told = evaluate.preview(question_of(question()))

    assert (told.verdict.revision, told.verdict.decision) == (_candidate(), False)


def test_what_would_change_an_answer_is_asked_of_the_revision_that_gave_it(shop_token: str) -> None:
    start(STRICT, share=FULL)

    told = call(question("stranger"), shop_token, path="/api/v1/decisions").json()

    assert told["bundle_revision"] == _candidate()
    assert isinstance(told["would_change"], list)


@pytest.mark.parametrize("end", ["stop", "promote"])
def test_the_end_of_a_rollout_is_in_force_at_the_next_decision(shop_token: str, end: str) -> None:
    rollout = start(STRICT, share=FULL)
    candidate = _candidate()
    assert _revision("customer-1", shop_token) == candidate

    if end == "stop":
        service.stop(rollout.pk, actor=ANNA, reason="too strict")
        assert _revision("customer-1", shop_token) == _active() != candidate
    else:
        service.promote(rollout.pk, actor=BERTA)
        assert _revision("customer-1", shop_token) == _active() == candidate


def test_the_log_holds_the_difference_and_verifies(shop_token: str, own_spool: Path) -> None:
    call(question(), shop_token)
    rollout = start(STRICT)
    call(question(), shop_token)
    service.stop(rollout.pk, actor=ANNA, reason="seen enough")
    start(BROKEN)
    call(question(), shop_token)
    drainer.drain(own_spool)

    old, strict, broken = Decision.objects.order_by("id")

    assert old.shadow is None
    assert (strict.shadow["outcome"], strict.shadow["failed"]) == ("deny", False)
    assert strict.shadow["kinds"] == ["permit_to_deny"]
    assert (broken.shadow["outcome"], broken.shadow["failed"]) == ("unknown", True)
    assert chain.verify().broken is None


def test_a_difference_that_is_changed_afterwards_is_found(
    shop_token: str, own_spool: Path, as_attacker: Callable[[str], None]
) -> None:
    start(STRICT)
    call(question(), shop_token)
    drainer.drain(own_spool)

    as_attacker("UPDATE policies_decision SET shadow = NULL")

    assert "was changed" in (chain.verify().broken or "")


def test_words_of_a_candidates_own_stay_in_the_entry(shop_token: str, own_spool: Path) -> None:
    """A column of the log takes no NUL, and an odd rule must not hold up the drainer."""
    odd = '"obligations": [{"type": "a\\u0000b", "properties": {}}],'
    start({'"obligations": [obligation | some [_, obligation] in sort(permit_obligations)],': odd})
    call(question(), shop_token)

    assert drainer.drain(own_spool) == 1
    logged = Decision.objects.get()
    assert "obligations_added" in logged.shadow["kinds"]
    assert json.loads(logged.entry)["shadow"]["obligations"][0]["type"] == "a\0b"
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM policies_decision WHERE shadow ->> 'outcome' = 'permit'")
        assert cursor.fetchone() == (1,)
