"""Reviewers at the same instant, and a process killed between a verdict and its release."""

import multiprocessing
import os
import signal
from typing import Any
from uuid import UUID

import pytest
from django.db import connections

from common.actors import Officer
from model_registry.reviews.models import Review, Verdict
from model_registry.reviews.verdicts import giving
from oversight.models import WorkItem
from tests.helpers.at_once import at_once
from tests.helpers.registers import make_officer
from tests.personalization.review.conftest import judge

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.usefixtures("marked")
def test_of_two_reviewers_at_once_one_is_refused(waiting: Any) -> None:
    review, anna, ben = waiting(), make_officer("anna"), make_officer("ben")

    said = at_once(lambda: judge(review, "approve", anna), lambda: judge(review, "reject", ben))

    assert said == ["done", "review_not_open"]
    assert Verdict.objects.count() == 1
    assert Review.objects.get().state in ("approved", "rejected")


@pytest.mark.usefixtures("marked_for_two")
def test_two_verdicts_at_once_are_a_first_and_a_second(waiting: Any) -> None:
    review, anna, ben = waiting(), make_officer("anna"), make_officer("ben")

    said = at_once(lambda: judge(review, "approve", anna), lambda: judge(review, "approve", ben))

    assert said == ["done", "done"]
    assert list(Verdict.objects.values_list("place", flat=True)) == [1, 2]
    assert Review.objects.get().state == "approved"


@pytest.mark.usefixtures("marked")
def test_two_requests_at_once_open_one_review(ask: Any, liked: Any) -> None:
    said = at_once(lambda: _waits(ask), lambda: _waits(ask), lambda: _waits(ask))

    assert said == ["done"] * 3
    assert Review.objects.count() == WorkItem.objects.filter(kind="output-review").count() == 1


@pytest.mark.usefixtures("marked")
@pytest.mark.parametrize("where", ["verdict", "release"])
def test_a_process_killed_between_verdict_and_release_leaves_neither(where: str, waiting: Any, ask: Any) -> None:
    review, anna = waiting(), make_officer("anna")
    killed = multiprocessing.get_context("fork").Process(target=_judge_and_die, args=(review.pk, anna, where))
    connections.close_all()
    killed.start()
    killed.join()

    assert killed.exitcode == -signal.SIGKILL
    assert not Verdict.objects.exists()
    assert ask()["fallback"] == "awaiting_review"
    assert WorkItem.objects.get(kind="output-review").state == "open"
    judge(review, "approve", anna)
    assert ask()["level"] == "individual"


def _waits(ask: Any) -> None:
    assert ask()["fallback"] == "awaiting_review"


def _judge_and_die(pk: UUID, actor: Officer, where: str) -> None:
    def die(*_args: Any, **_more: Any) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    if where == "verdict":
        giving._conclude = die  # type: ignore[assignment]
    else:
        giving.items.finish = die  # type: ignore[assignment]
    giving.give(pk, "approve", seen=Review.objects.get(pk=pk).digest, actor=actor)
