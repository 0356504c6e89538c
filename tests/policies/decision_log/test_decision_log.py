"""Verification of the decision log names what was changed, taken away or slipped in."""

from collections.abc import Callable
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from consent.pseudonyms import subject_ref
from policies.decision_log import chain, pseudonyms, reading
from policies.decision_log.drainer import drain
from policies.models import Decision, PeriodKey
from tests.helpers.wsgi_calls import call, changed, question


@pytest.fixture
def log(shop_token: str, own_spool: Path) -> list[Decision]:
    """Three batches of two decisions each, oldest first: a permit and a denial."""
    for _ in range(3):
        call(question(), shop_token)
        call(question("stranger"), shop_token)
        drain(own_spool)
    return list(Decision.objects.order_by("batch_id", "position"))


_COLUMNS = (
    "decided_at, batch_id, position, subject_tag, caller, action, purpose, outcome, level, reasons, bundle_revision,"
    " entry"
)
_COPY = f"INSERT INTO policies_decision (id, {_COLUMNS}) SELECT overlay(id::text placing 'ffffffff' from 29)::uuid, "
_THIRD = " FROM policies_decision WHERE id = '{third}'"
_TAMPERING = {
    "an outcome": (
        "UPDATE policies_decision SET outcome = 'permit' WHERE id = '{second}'",
        "decision {second} was changed",
    ),
    "the person": (
        "UPDATE policies_decision SET subject_tag = sha256('x') WHERE id = '{third}'",
        "decision {third} was changed",
    ),
    "the caller": ("UPDATE policies_decision SET caller = 'x' WHERE id = '{third}'", "decision {third} was changed"),
    "the time": (
        "UPDATE policies_decision SET decided_at = decided_at + interval '1 s' WHERE id = '{third}'",
        "decision {third} was changed",
    ),
    "reasons": ("UPDATE policies_decision SET reasons = '{{}}' WHERE id = '{second}'", "decision {second} was changed"),
    "an entry that is no JSON now": (
        "UPDATE policies_decision SET entry = 'nonsense' WHERE id = '{third}'",
        "decision {third} was changed",
    ),
    "an entry that is another object now": (
        "UPDATE policies_decision SET entry = '[]' WHERE id = '{third}'",
        "decision {third} was changed",
    ),
    "what no column repeats": (
        "UPDATE policies_decision SET entry = replace(entry, '\"gpc\":false', '\"gpc\":true') WHERE id = '{third}'",
        "the decisions of batch 2 are not the ones it sealed",
    ),
    "the order": (
        "UPDATE policies_decision SET position = 1 - position WHERE batch_id = 2",
        "the decisions of batch 2 are not the ones it sealed",
    ),
    "a decision taken away": (
        "DELETE FROM policies_decision WHERE id = '{third}'",
        "decision batch 2 sealed 2 decisions and 1 are there",
    ),
    "a decision moved": (
        "UPDATE policies_decision SET batch_id = 3, position = 2 WHERE id = '{third}'",
        "decision batch 2 sealed 2 decisions and 1 are there",
    ),
    "a decision slipped in": (
        _COPY + _COLUMNS.replace("position", "9") + _THIRD,
        "was changed",
    ),
    "a decision of a batch that never was": (
        _COPY + _COLUMNS.replace("batch_id", "99") + _THIRD,
        "belongs to no batch",
    ),
    "a decision before the first batch": (
        _COPY + _COLUMNS.replace("batch_id", "0") + _THIRD,
        "belongs to no batch",
    ),
    "a batch taken away": ("DELETE FROM policies_decisionbatch WHERE sequence = 2", "decision batch 2 is missing"),
    "the first batch taken away": (
        "DELETE FROM policies_decisionbatch WHERE sequence = 1",
        "decision batch 1 is missing",
    ),
    "the last batch taken away": ("DELETE FROM policies_decisionbatch WHERE sequence = 3", "belongs to no batch"),
    "a batch's time": (
        "UPDATE policies_decisionbatch SET created_at = now() - interval '1 day' WHERE sequence = 2",
        "decision batch 2 was changed",
    ),
    "a batch's root": (
        "UPDATE policies_decisionbatch SET root = sha256('x') WHERE sequence = 2",
        "decision batch 2 was changed",
    ),
    "a batch's count": (
        "UPDATE policies_decisionbatch SET decision_count = 3 WHERE sequence = 2",
        "decision batch 2 was changed",
    ),
    "a link": (
        "UPDATE policies_decisionbatch SET previous = sha256('x') WHERE sequence = 3",
        "decision batch 3 does not continue batch 2",
    ),
}


def test_a_log_nobody_touched_holds_together(log: list[Decision]) -> None:
    verdict = chain.verify()

    assert (verdict.ok, verdict.broken) == (True, None)
    assert (verdict.batches, verdict.decisions) == (3, 6)


@pytest.mark.parametrize(("statement", "finding"), _TAMPERING.values(), ids=_TAMPERING)
def test_verification_names_what_was_tampered_with(
    log: list[Decision], as_attacker: Callable[[str], None], statement: str, finding: str
) -> None:
    names = {"second": log[1].id, "third": log[2].id}

    as_attacker(statement.format(**names))

    verdict = chain.verify()
    assert not verdict.ok
    assert finding.format(**names) in str(verdict.broken)


def test_the_command_fails_on_a_broken_log(log: list[Decision], as_attacker: Callable[[str], None]) -> None:
    call_command("verify", stdout=StringIO())
    as_attacker(f"UPDATE policies_decision SET outcome = 'permit' WHERE id = '{log[1].id}'")
    said = StringIO()

    with pytest.raises(CommandError):
        call_command("verify", stdout=said)

    assert f"Decision log: BROKEN: decision {log[1].id} was changed" in said.getvalue()


def test_a_person_finds_their_own_decisions_newest_first(log: list[Decision]) -> None:
    own = reading.decisions_about(subject_ref("customer-1"))

    assert [decision.id for decision in own] == [log[4].id, log[2].id, log[0].id]
    assert reading.decisions_about(subject_ref("customer-9")) == []


def test_without_the_months_key_nobody_finds_them_any_more(log: list[Decision]) -> None:
    PeriodKey.objects.all().delete()

    assert reading.decisions_about(subject_ref("customer-1")) == []
    assert chain.verify().ok


def test_a_new_month_has_another_tag_and_the_oldest_keys_go(log: list[Decision]) -> None:
    ref, month = subject_ref("customer-1"), 31 * 24 * 3600
    tags = [pseudonyms.tag(ref, 1_900_000_000 + number * month) for number in range(4)]

    assert len(set(tags)) == 4
    assert pseudonyms.tag(ref, 1_900_000_000) == tags[0]

    assert pseudonyms.forget_old_keys() == 2, "this month's and the first of four in the future"
    kept = {tag.hex().encode() for tag in pseudonyms.tags_of(ref)}
    assert kept == set(tags[1:])


def test_the_action_asked_about_is_what_filters_see(shop_token: str, own_spool: Path) -> None:
    call(changed("action.name", "collect"), shop_token)
    drain(own_spool)

    assert Decision.objects.get().action == "collect"
