"""Every spooled line reaches the decision log exactly once, whatever dies on the way."""

import json
import threading
from pathlib import Path
from typing import Any

import pytest
from django.db import DatabaseError, connection, connections, transaction

from policies.decision_log import chain, drainer
from policies.decision_log.drainer import drain
from policies.decisions import evaluate
from policies.models import Decision, DecisionBatch, SpoolPosition
from tests.helpers.polling import until_waiting_for_locks
from tests.helpers.wsgi_calls import call, question


class Killed(BaseException):
    """What a kill looks like from inside: nothing catches it, the transaction is never committed."""


def _die() -> None:
    """Release what this process holds on its spool, as its end would."""
    evaluate._spool.close()


def _logged() -> list[str]:
    return [str(identifier) for identifier in Decision.objects.order_by("id").values_list("id", flat=True)]


def test_every_decision_is_logged_as_it_was_written(ask: Any, own_spool: Path, spooled: Any) -> None:
    answered, entries = ask(5), spooled()

    assert drain(own_spool) == 5

    assert _logged() == sorted(answered)
    assert [json.loads(d.entry) for d in Decision.objects.order_by("position")] == entries
    logged = Decision.objects.get(id=answered[1])
    assert (logged.outcome, logged.action, logged.purpose) == ("permit", "personalize", "recommendations")
    assert (logged.caller, logged.level, logged.reasons) == ("service:shop", "individual", [])


def test_draining_again_changes_nothing(ask: Any, own_spool: Path) -> None:
    ask(3)
    drain(own_spool)

    assert drain(own_spool) == 0
    assert (Decision.objects.count(), DecisionBatch.objects.count()) == (3, 1)


STEPS = ["ensure_partition", "_new_batch", "_store", "_row", "copy_line", "_complete_lines", "_remove_if_finished"]


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("step", STEPS)
def test_a_drainer_killed_at_any_step_loses_and_repeats_nothing(
    ask: Any, own_spool: Path, monkeypatch: pytest.MonkeyPatch, step: str, when: str
) -> None:
    first = ask(3)
    drain(own_spool)
    second = ask(4)
    _die()
    original = getattr(drainer, step)

    def killed(*args: Any) -> None:
        if when == "after":
            original(*args)
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(drainer, step, killed)
        with pytest.raises(Killed):
            drain(own_spool)

    drain(own_spool)

    assert _logged() == sorted(first + second)
    assert chain.verify().ok
    assert list(own_spool.glob("*.spool")) == []
    assert not SpoolPosition.objects.exists()


def test_a_drainer_killed_while_it_moves_the_position_repeats_nothing(
    ask: Any, own_spool: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answered = ask(3)
    save = SpoolPosition.save

    def killed(*args: Any, **kwargs: Any) -> None:
        save(*args, **kwargs)
        if kwargs.get("update_fields"):
            raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(SpoolPosition, "save", killed)
        with pytest.raises(Killed):
            drain(own_spool)
    assert _logged() == []

    drain(own_spool)

    assert _logged() == sorted(answered)


def test_the_file_of_a_live_process_is_kept_and_read_on(ask: Any, own_spool: Path) -> None:
    ask(2)
    drain(own_spool)
    (path,) = own_spool.glob("*.spool")

    ask(2)

    assert list(own_spool.glob("*.spool")) == [path]
    assert drain(own_spool) == 2


def test_the_file_of_a_dead_process_is_removed_when_it_is_read(ask: Any, own_spool: Path) -> None:
    ask(2)
    _die()

    assert drain(own_spool) == 2

    assert list(own_spool.glob("*.spool")) == []
    assert not SpoolPosition.objects.exists()


def test_a_spool_that_another_drainer_removed_is_passed_over(
    ask: Any, own_spool: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answered = ask(2)
    _die()
    remove = drainer._remove_if_finished

    def twice(path: Path) -> None:
        remove(path)
        remove(path)

    monkeypatch.setattr(drainer, "_remove_if_finished", twice)

    assert drain(own_spool) == 2
    assert _logged() == sorted(answered)


def _in_thread(folder: Path, copied: list[int]) -> threading.Thread:
    def run() -> None:
        try:
            copied.append(drain(folder))
        finally:
            connections.close_all()

    thread = threading.Thread(target=run)
    thread.start()
    return thread


@pytest.mark.django_db(transaction=True)
def test_two_drainers_at_once_log_every_decision_once(
    consenting: Any, own_spool: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def asked(count: int) -> list[str]:
        answers = [call(question(f"customer-{number}"), consenting.token) for number in range(count)]
        return [answer.json()["context"]["decision_id"] for answer in answers]

    answered = asked(3)
    drain(own_spool)
    answered += asked(4)
    _die()
    storing, go_on, store = threading.Event(), threading.Event(), drainer._store

    def slowly(*args: Any) -> None:
        storing.set()
        assert go_on.wait(120)
        store(*args)

    monkeypatch.setattr(drainer, "_store", slowly)
    copied: list[int] = []

    first = _in_thread(own_spool, copied)
    assert storing.wait(120)
    second = _in_thread(own_spool, copied)
    until_waiting_for_locks()
    go_on.set()
    first.join()
    second.join()

    assert sorted(copied) == [0, 4]
    assert _logged() == sorted(answered)
    assert chain.verify().ok
    assert list(own_spool.glob("*.spool")) == []


@pytest.mark.django_db(transaction=True)
def test_verification_while_decisions_are_drained_raises_no_false_alarm(
    consenting: Any, own_spool: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def asked(count: int) -> None:
        for number in range(count):
            call(question(f"customer-{number}"), consenting.token)

    asked(3)
    drain(own_spool)
    asked(4)
    _die()
    check, drained = chain._broken_batch, []

    def drain_meanwhile(*args: Any) -> str | None:
        """Once the first batch has been read, all that waits is copied and committed by somebody else."""
        if not drained:
            copying = _in_thread(own_spool, drained)
            copying.join()
        return check(*args)

    monkeypatch.setattr(chain, "_broken_batch", drain_meanwhile)

    during = chain.verify()

    assert drained == [4]
    assert (during.ok, during.decisions) == (True, 3), "as of the moment it began"
    assert (chain.verify().ok, chain.verify().decisions) == (True, 7)


@pytest.mark.parametrize("statement", ["TRUNCATE {}", "DELETE FROM {}", "UPDATE {} SET outcome = 'permit'"])
def test_not_even_a_single_day_of_the_log_can_be_emptied(ask: Any, own_spool: Path, statement: str) -> None:
    ask(1)
    drain(own_spool)
    with connection.cursor() as cursor:
        cursor.execute("SELECT tableoid::regclass::text FROM policies_decision")
        day = cursor.fetchone()[0]

    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement.format(day))

    assert Decision.objects.count() == 1
