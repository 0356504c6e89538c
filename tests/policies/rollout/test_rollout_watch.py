"""The job that watches a rollout: what it counts in the log, and that it takes a bad candidate back by itself."""

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from django.utils import timezone

from audit.models import AuditEvent
from common.rollouts.shares import FULL
from consent.models import Purpose
from consent.register import register
from governance.management.commands import drain_decisions
from oversight.rollouts import watch
from policies import tasks
from policies.decision_log import drainer
from policies.models import ActiveBundle, Decision, Rollout
from policies.rollout import figures, service
from policies.rollout.guards import Figures, Guards, read_guards
from tests.helpers.rollouts import ANNA, BERTA, BROKEN, SAME, STRICT, start
from tests.helpers.wsgi_calls import EVALUATIONS, call, question

LOW = Guards(at_least=20)
Ask = Callable[..., None]


@pytest.fixture
def ask(shop_token: str, own_spool: Path) -> Ask:
    """Ask so often about people who agreed and about strangers, and drain the answers into the log."""

    def asking(permitted: int, denied: int = 0) -> None:
        for person, count in (("customer-1", permitted), ("stranger", denied)):
            for _ in range(count):
                call(question(person), shop_token)
        drainer.drain(own_spool)

    return asking


def _count(rollout: Rollout) -> Figures:
    rollout.refresh_from_db()
    return figures.figures_of(rollout, read_guards(rollout.guards), now=timezone.now())


def test_a_shadow_is_counted_by_what_it_would_have_said(ask: Ask) -> None:
    ask(3, 1)
    rollout = start(STRICT, guards=LOW)
    ask(6, 2)

    counted = _count(rollout)

    assert (counted.active.decisions, counted.active.denied) == (8, 2)
    assert (counted.candidate.decisions, counted.candidate.denied, counted.candidate.failed) == (8, 8, 0)
    assert (counted.before.decisions, counted.before.denied) == (4, 1)
    assert counted.active.p99_us is not None
    assert counted.candidate.p99_us is None


def test_failures_are_counted_on_both_sides(ask: Ask) -> None:
    rollout = start(BROKEN, guards=LOW)
    ask(5)
    assert _count(rollout).candidate.failed == 5

    service.set_share(rollout.pk, FULL, actor=BERTA)
    ask(4)

    counted = _count(rollout)
    assert (counted.candidate.decisions, counted.candidate.failed) == (4, 4)
    assert (counted.active.decisions, counted.active.failed) == (5, 0)


def test_decisions_outside_the_window_do_not_count(ask: Ask) -> None:
    rollout = start(STRICT, guards=LOW)
    ask(5)
    later = timezone.now() + timedelta(minutes=LOW.window_minutes + 1)

    assert figures.figures_of(rollout, LOW, now=later).candidate.decisions == 0


def test_a_candidate_counts_under_every_revision_it_had(ask: Ask) -> None:
    rollout = start(STRICT, share=FULL, guards=LOW)
    ask(3)
    register.save_purpose(Purpose(slug="loyalty", name="Loyalty", benefit="x"), actor="test")
    ask(4)

    counted = _count(rollout)

    assert (counted.candidate.decisions, counted.active.decisions) == (7, 0)


def test_what_an_earlier_candidate_decided_is_neither_sides(ask: Ask) -> None:
    first = start(STRICT, share=FULL, guards=LOW)
    ask(30)
    service.stop(first.pk, actor=ANNA, reason="wrong")
    ask(2)
    rollout = start(SAME, guards=LOW)

    assert (_count(rollout).before.decisions, _count(rollout).before.denied) == (2, 0)


def test_decisions_before_a_stage_are_the_measure_of_the_full_share(ask: Ask) -> None:
    ask(20)
    rollout = start(STRICT, share=FULL, guards=LOW)
    ask(20)

    assert _count(rollout).before.decisions == 20
    assert watch.check()


def test_between_a_share_and_the_others_batches_do_not_count(ask: Ask, shop_token: str, own_spool: Path) -> None:
    """A nightly batch that is denied throughout is no reason to think better of a candidate, or worse."""
    rollout = start(SAME, share=5_000, guards=LOW)
    people = [{"subject": question(f"stranger-{number}")["subject"]} for number in range(30)]
    call({**question(), "evaluations": people}, shop_token, path=EVALUATIONS)
    ask(2)

    counted = _count(rollout)
    assert counted.active.decisions + counted.candidate.decisions == 2

    service.set_share(rollout.pk, 0, actor=ANNA)
    call({**question(), "evaluations": people}, shop_token, path=EVALUATIONS)
    ask(1)
    assert _count(rollout).active.decisions == 31


def test_a_count_is_two_statements_beside_the_steps(ask: Ask, sql: list[str]) -> None:
    rollout = start(STRICT, guards=LOW)
    ask(2)
    sql.clear()

    figures.figures_of(rollout, LOW, now=timezone.now())

    assert sum("policies_decision" in statement for statement in sql) == 2
    assert len(sql) == 5


def test_the_job_takes_a_candidate_back_by_itself_and_says_why(ask: Ask, shop_token: str) -> None:
    rollout = start(STRICT, share=FULL, guards=LOW)
    service.set_share(rollout.pk, 0, actor=ANNA)
    ask(20, 1)

    tasks.watch_rollout()
    tasks.watch_rollout()

    rollout.refresh_from_db()
    assert (rollout.state, rollout.ended_by) == ("rolled_back", "job:rollout")
    assert rollout.why == (
        "100.0 % of the decisions of the candidate were denials, 4.8 % of the active one's; allowed: 2 points."
    )
    event = AuditEvent.objects.get(action="rollout.rolled_back")
    assert (event.object, event.details["reason"]) == (rollout.policy_id, rollout.why)
    assert ActiveBundle.objects.get().candidate is None
    assert call(question(), shop_token).json()["decision"] is True


@pytest.mark.parametrize("changes", [SAME])
def test_a_candidate_that_keeps_its_limits_stays(ask: Ask, changes: dict[str, str]) -> None:
    rollout = start(changes, guards=LOW)
    ask(30, 5)

    assert watch.check() == []
    rollout.refresh_from_db()
    assert rollout.is_open


def test_without_a_rollout_the_job_does_nothing(shop_token: str) -> None:
    assert watch.check() == []


def test_an_officer_who_was_faster_is_not_undone(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    """The job has counted; before it acts an officer stops the rollout and starts another."""
    rollout = start(STRICT, guards=LOW)
    ask(25)
    count = figures.figures_of

    def counted_then_stopped(*args: object, **options: object) -> Figures:
        told = count(*args, **options)  # type: ignore[arg-type]
        service.stop(rollout.pk, actor=ANNA, reason="seen it")
        start(SAME)
        return told

    monkeypatch.setattr(figures, "figures_of", counted_then_stopped)

    assert watch.check() == []
    rollout.refresh_from_db()
    assert rollout.state == "stopped"
    assert ActiveBundle.objects.get().candidate is not None


def test_differences_are_counted_by_kind(ask: Ask) -> None:
    rollout = start(STRICT, guards=LOW)
    ask(3, 2)

    told = figures.differences_by_kind(since=rollout.started_at, until=timezone.now())

    # Under the candidate a stranger's region is as unknown as before.
    assert told == {"permit_to_deny": 3}


def test_both_sides_are_told_over_time_as_they_were_at_the_time(ask: Ask) -> None:
    rollout = start(STRICT, guards=LOW)
    ask(3, 1)

    (moment,) = figures.over_time(rollout)

    assert (moment.active, moment.candidate) == (0.25, 1.0)


def test_while_a_share_answers_nobody_a_piece_of_time_says_nothing_of_the_candidate(ask: Ask) -> None:
    rollout = start(SAME, share=1, guards=LOW)
    ask(3)

    (moment,) = figures.over_time(rollout)

    assert (moment.active, moment.candidate) == (0.0, None)


def test_the_drainer_looks_where_nobody_else_does_and_leaves_it_alone_otherwise(ask: Ask) -> None:
    rollout = start(STRICT, guards=LOW)
    ask(25)
    assert watch.check_if_late() == []

    Rollout.objects.update(watched_at=timezone.now() - watch.LATE - timedelta(seconds=1))
    assert watch.check_if_late()

    rollout.refresh_from_db()
    assert rollout.state == "rolled_back"
    assert watch.check_if_late() == []


def test_a_look_that_finds_nothing_is_noted(ask: Ask) -> None:
    rollout = start(SAME, guards=LOW)
    Rollout.objects.update(watched_at=timezone.now() - timedelta(hours=1))
    rollout.refresh_from_db()
    assert watch.is_late(rollout)

    watch.check()

    rollout.refresh_from_db()
    assert not watch.is_late(rollout)


def test_a_rollout_that_cannot_be_looked_after_does_not_hold_up_the_log(
    own_spool: Path, shop_token: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> None:
        raise RuntimeError

    monkeypatch.setattr(watch, "check_if_late", fail)
    monkeypatch.setattr(drain_decisions, "_LOOK_EVERY_S", 0.0)
    command, rounds = drain_decisions.Command(), iter([False, False, True])
    command._looked_at = 0.0
    call(question(), shop_token)

    drainer.run(own_spool, stop=lambda: next(rounds), pause=0.0, meanwhile=command._watch)

    assert Decision.objects.count() == 1


def test_a_rollout_that_cannot_be_judged_keeps_no_other_from_being_rolled_back(
    ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask(20)
    start(STRICT, share=FULL, guards=LOW)
    ask(20)
    [(kind, source)] = [found for name, found in watch._sources.items() if name == "rollout"]

    def broken(_rollout: Rollout, _now: datetime) -> watch.Look:
        raise RuntimeError

    monkeypatch.setattr(watch, "_sources", {"other": (kind, broken), "rollout": (kind, source)})

    assert watch.check()
