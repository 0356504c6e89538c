"""Decisions in several connections while officers and the job act: no answer from a revision that was taken back."""

import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import connections

from common.http.problems import Conflict
from common.rollouts.shares import FULL
from policies.models import ActiveBundle, Rollout
from policies.rollout import service
from tests.helpers.polling import until
from tests.helpers.rollouts import ANNA, BERTA, STRICT, roll_back, start
from tests.helpers.scale import scale
from tests.helpers.wsgi_calls import EVALUATIONS, call, connection_kept, question

pytestmark = pytest.mark.django_db(transaction=True)
PEOPLE = [f"customer-{number}" for number in range(1, 20)]
Answered = list[tuple[float, str]]  # when it was asked, and the revision that answered


@pytest.fixture
def answering(token: str) -> Iterator[Callable[[int], Answered]]:
    """Three clients that ask without a pause, each on a connection of its own.

    Call it to end them after so many answers more; it returns all.
    """
    answered: Answered = []
    is_over = threading.Event()

    def ask() -> None:
        with connection_kept():
            while not is_over.is_set():
                asked_at = time.monotonic()
                told = call(question(), token).json()["context"]
                answered.append((asked_at, told["bundle_revision"]))
        connections.close_all()

    threads = [threading.Thread(target=ask) for _ in range(3)]

    def end(more: int) -> Answered:
        enough = len(answered) + more
        until(lambda: len(answered) >= enough, f"{more} answers more")
        is_over.set()
        for thread in threads:
            thread.join()
        return answered

    for thread in threads:
        thread.start()
    yield end
    end(0)


def _wait_for(revision: str | None, token: str) -> None:
    until(lambda: call(question(), token).json()["context"]["bundle_revision"] == revision, f"answers by {revision}")


def test_nobody_who_asks_after_the_roll_back_is_answered_by_what_was_rolled_back(
    token: str, answering: Callable[[int], Answered]
) -> None:
    rollout = start(STRICT, share=FULL)
    candidate = ActiveBundle.objects.get().candidate_id
    _wait_for(candidate, token)

    roll_back(rollout, why="too strict")
    rolled_back_at = time.monotonic()

    answered = answering(30)
    later = {revision for asked_at, revision in answered if asked_at > rolled_back_at}
    assert candidate in {revision for _, revision in answered}
    assert later == {ActiveBundle.objects.get().bundle_id}


@scale("turns", small=8, long=400)
def test_no_batch_is_mixed_while_the_share_moves_to_and_fro(token: str, turns: int) -> None:
    rollout = start(STRICT, share=FULL)
    is_over, mixed, seen = threading.Event(), [], set()
    items = {**question(), "evaluations": [{"subject": question(person)["subject"]} for person in PEOPLE]}
    del items["subject"]

    def ask() -> None:
        with connection_kept():
            while not is_over.is_set():
                told = call(items, token, path=EVALUATIONS).json()["evaluations"]
                revisions = {answer["context"]["bundle_revision"] for answer in told}
                seen.update(revisions)
                if len(revisions) != 1:
                    mixed.append(revisions)
        connections.close_all()

    threads = [threading.Thread(target=ask) for _ in range(3)]
    for thread in threads:
        thread.start()
    for _ in range(turns):
        for share in (0, FULL, 5_000, FULL):
            if share != Rollout.objects.get(pk=rollout.pk).share:
                service.set_share(rollout.pk, share, actor=BERTA)
    is_over.set()
    for thread in threads:
        thread.join()

    row = ActiveBundle.objects.get()
    assert mixed == []
    assert seen == {row.bundle_id, row.candidate_id}


def test_an_officer_and_the_job_at_once_end_it_once(token: str) -> None:
    rollout = start(STRICT, share=FULL)
    together, told = threading.Barrier(3, timeout=300), []

    def act(what: Callable[[], Any]) -> None:
        together.wait()
        try:
            told.append(bool(what()))
        except Conflict:
            told.append(False)
        connections.close_all()

    acts: list[Callable[[], Any]] = [
        lambda: service.stop(rollout.pk, actor=ANNA, reason="seen"),
        lambda: service.promote(rollout.pk, actor=BERTA),
        lambda: roll_back(rollout, why="too strict"),
    ]
    threads = [threading.Thread(target=act, args=[what]) for what in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(told) == [False, False, True]
    rollout.refresh_from_db()
    assert not rollout.is_open
    assert [step.kind for step in rollout.steps.all()].count("ended") == 1
    assert ActiveBundle.objects.get().candidate is None
