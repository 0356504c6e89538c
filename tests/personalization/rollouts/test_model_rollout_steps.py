"""A model rollout's way: who may do what, what each step leaves, and what the guards take back by themselves."""

from collections.abc import Callable
from datetime import timedelta
from itertools import islice
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from audit.models import AuditEvent
from common.http.problems import Conflict
from common.levels import LEVELS
from model_registry import services
from model_registry.models import Model, ModelVersion
from oversight.models import Step, WorkItem
from oversight.problems import ChangeRefused, Outdated, SecondOfficerNeeded
from oversight.rollouts import watch
from personalization.models import Event, RolloutCount
from personalization.rollouts import counting, figures, service
from personalization.rollouts.counting import BOUNDS_US, Tally
from personalization.rollouts.kind import of_rollout
from personalization.rollouts.models import ModelRollout
from policies import tasks
from policies.models import ActiveBundle
from tests.helpers.model_rollouts import CLARA, DORA, LOW, people, start

pytestmark = pytest.mark.django_db


def _status(version: ModelVersion) -> str:
    return ModelVersion.objects.get(pk=version.pk).status


def _answers(
    rollout: ModelRollout, side: str, answers: int, *, fallbacks: int = 0, failures: int = 0, ms: int = 8
) -> None:
    """Counts as the processes leave them: answers at the highest level but for the fallbacks."""
    tally = Tally(answers=answers, fallbacks=fallbacks, failures=failures)
    tally.levels[LEVELS["individual"]] = answers - fallbacks
    tally.levels[0] = fallbacks
    tally.took[next(step for step, bound in enumerate(BOUNDS_US) if bound >= ms * 1_000)] = answers
    counting.write((rollout.pk, side, timezone.now().replace(second=0, microsecond=0)), tally)


def test_the_way_to_live_is_told_step_by_step(candidate: ModelVersion, deployed: ModelVersion) -> None:
    rollout = start(candidate)
    service.set_share(rollout.pk, 1_000, actor=DORA)
    service.set_share(rollout.pk, 500, actor=CLARA)
    service.finish(rollout.pk, actor=DORA)

    rollout.refresh_from_db()
    assert (rollout.state, rollout.started_by) == ("completed", CLARA)
    assert rollout.approval is not None
    assert (rollout.approval.actor, rollout.approval.author_name) == (DORA, CLARA)
    assert (_status(candidate), _status(deployed)) == ("live", "approved")
    events = AuditEvent.objects.filter(object=str(candidate)).order_by("position").values_list("action", flat=True)
    assert [each for each in events if "rollout" in each or each in ("model.canary", "model.live")] == [
        "model.canary", "model_rollout.started", "model_rollout.widened", "model_rollout.narrowed", "model.live",
        "model_rollout.completed",
    ]  # fmt: skip
    kinds = Step.objects.filter(subject="model_rollout", object=str(rollout.pk)).values_list("kind", flat=True)
    assert list(kinds) == ["started", "widened", "narrowed", "completed"]


def test_who_began_it_widens_and_finishes_nothing(candidate: ModelVersion) -> None:
    rollout = start(candidate)

    for act in (
        lambda: service.set_share(rollout.pk, 1_000, actor=CLARA),
        lambda: service.finish(rollout.pk, actor=CLARA),
    ):
        with pytest.raises(SecondOfficerNeeded, match="author"):
            act()
    assert (_status(candidate), ModelRollout.objects.get().share) == ("canary", 0)
    with pytest.raises(IntegrityError, match="personalization_rollout_approved"), transaction.atomic():
        ModelRollout.objects.update(share=1)


def test_a_page_that_is_out_of_date_widens_nothing(candidate: ModelVersion) -> None:
    rollout = start(candidate)
    seen = of_rollout(rollout).digest
    service.set_share(rollout.pk, 100, actor=DORA)

    with pytest.raises(Outdated):
        service.set_share(rollout.pk, 200, actor=DORA, seen=seen)
    with pytest.raises(Outdated):
        service.finish(rollout.pk, actor=DORA, seen=seen)
    assert ModelRollout.objects.get().share == 100


@pytest.mark.parametrize("share", [-1, 5_001, 10_000])
def test_half_of_the_people_is_the_most(share: int, candidate: ModelVersion) -> None:
    with pytest.raises(ChangeRefused, match="50 per cent"):
        service.set_share(start(candidate).pk, share, actor=DORA)


def test_what_cannot_be_rolled_out(candidate: ModelVersion, deployed: ModelVersion, register: Any) -> None:
    other = services.register_version(
        model=Model.objects.create(slug="other", name="Other"), purposes=list(deployed.purposes.all()), actor="test"
    )
    with pytest.raises(ChangeRefused, match="figures"):
        start(other)
    with pytest.raises(ChangeRefused, match="Say why"):
        service.start(candidate.pk, actor=CLARA, reason=" ")
    with pytest.raises(services.StatusNotPossible, match="live cannot become canary"):
        start(deployed)
    broken = register(artifact="gone", artifact_sha256="0" * 64)
    with pytest.raises(ChangeRefused, match="file"):
        start(broken)
    start(candidate)
    with pytest.raises(Conflict, match="Another version"):
        start(register())
    assert ModelRollout.objects.count() == 1


def test_without_a_live_version_there_is_nothing_to_compare_with(
    candidate: ModelVersion, deployed: ModelVersion
) -> None:
    services.change_status(version_id=deployed.pk, status="suspended", actor=CLARA)

    with pytest.raises(Conflict, match="nothing to compare with"):
        start(candidate)


def test_a_canary_begins_by_no_other_way(candidate: ModelVersion) -> None:
    with pytest.raises(services.StatusNotPossible):
        services.change_status(version_id=candidate.pk, status="canary", actor=CLARA)
    start(candidate)
    with pytest.raises(SecondOfficerNeeded):
        services.change_status(version_id=candidate.pk, status="live", actor=CLARA)
    with pytest.raises(IntegrityError, match="canary_rolls_out"), transaction.atomic():
        ModelVersion.objects.filter(pk=candidate.pk).update(status="approved")


def test_a_rollout_that_ended_cannot_be_acted_on(candidate: ModelVersion) -> None:
    rollout = start(candidate)
    service.stop(rollout.pk, actor=CLARA, reason="wrong")

    for act in (
        lambda: service.set_share(rollout.pk, 1, actor=DORA),
        lambda: service.finish(rollout.pk, actor=DORA),
        lambda: service.stop(rollout.pk, actor=DORA, reason="again"),
    ):
        with pytest.raises(Conflict, match="has ended"):
            act()
    assert _status(candidate) == "approved"


def test_a_worse_model_is_rolled_back_by_itself_and_an_officer_gets_work(
    candidate: ModelVersion, ask: Callable[..., Any], agree: Callable[[str], str]
) -> None:
    rollout = start(candidate, share=2_000)
    person = agree(next(people(rollout, inside=True)))
    assert ask(person)["model"] == "house-recommender@2"
    _answers(rollout, "live", 1_000, fallbacks=10)
    _answers(rollout, "candidate", 200, fallbacks=60)

    tasks.watch_rollout()
    tasks.watch_rollout()

    rollout.refresh_from_db()
    assert (rollout.state, rollout.ended_by, _status(candidate)) == ("rolled_back", "job:rollout", "approved")
    assert rollout.why.startswith("29.9 % of the answers were the general list on the side of the candidate, 1.0 %")
    assert rollout.figures["candidate"]["fallbacks"] == 60
    assert ask(person)["model"] == "house-recommender@1"
    event = AuditEvent.objects.get(action="model_rollout.rolled_back")
    assert (event.actor, event.object, event.details["reason"]) == ("job:rollout", str(candidate), rollout.why)
    assert AuditEvent.objects.filter(action="model.approved", object=str(candidate), actor="job:rollout").exists()
    work = WorkItem.objects.get(kind="model-rolled-back")
    assert (work.object, work.state) == (str(rollout.pk), "open")

    with pytest.raises(ChangeRefused):
        service.acknowledge(rollout.pk, actor=DORA, reason=" ")
    service.acknowledge(rollout.pk, actor=DORA, reason="Trained on a broken import.")

    work.refresh_from_db()
    assert (work.state, work.outcome) == ("done", "Trained on a broken import.")


def test_what_people_say_takes_a_canary_back(
    candidate: ModelVersion, remember: Callable[..., list[Event]], shop: Any, agree: Callable[[str], str]
) -> None:
    """A planted model that people turn away from: their "not relevant" is what is counted, side by side."""
    rollout = start(candidate, share=5_000)
    now = timezone.now()
    for side in (True, False):
        for number, person in enumerate(islice(people(rollout, inside=side), 40)):
            kind = {"kind": "skip", "weight": 0.0} if side and number < 20 else {"kind": "view", "weight": 1.0}
            remember(person, [shop.items[0].id], received_at=now, newest=now, **kind)

    [breach] = watch.check()

    assert breach.guard == "unwanted_points"
    assert "50.0 % of the people said that an item is not relevant" in breach.sentence
    assert _status(candidate) == "approved"


def test_people_who_leave_take_a_canary_back(
    candidate: ModelVersion, api: Any, remember: Callable[..., list[Event]], shop: Any
) -> None:
    rollout = start(candidate, share=5_000)
    now = timezone.now()
    for side in (True, False):
        for number, person in enumerate(islice(people(rollout, inside=side), 30)):
            remember(person, [shop.items[0].id], received_at=now, newest=now)
            if side and number < 15:
                api.save(person, "give")
                api.save(person, "withdraw")

    counted = figures.figures_of(rollout, LOW, now=timezone.now())

    # The events of those who left went with them; they count all the same.
    assert (counted.candidate.people, counted.candidate.left) == (30, 15)
    assert (counted.live.people, counted.live.left) == (30, 0)
    [breach] = watch.check()
    assert breach.guard == "left_points"


def test_events_before_the_share_was_set_say_nothing_of_it(
    candidate: ModelVersion, remember: Callable[..., list[Event]], shop: Any
) -> None:
    remember("customer-1", [shop.items[0].id], received_at=timezone.now() - timedelta(minutes=1), kind="skip", weight=0)

    counted = figures.figures_of(start(candidate, share=5_000), LOW, now=timezone.now())

    assert (counted.candidate.people, counted.live.people) == (0, 0)


def test_a_candidate_whose_gates_end_is_rolled_back_without_any_figure(candidate: ModelVersion) -> None:
    rollout = start(candidate, share=100)
    ModelVersion.objects.filter(pk=candidate.pk).update(approved_until=timezone.now().date() - timedelta(days=2))

    [breach] = watch.check()

    assert breach.guard == "gates"
    assert "Approved until" in breach.sentence
    rollout.refresh_from_db()
    assert rollout.state == "rolled_back"


def test_a_canary_that_keeps_its_limits_stays_and_the_look_is_noted(candidate: ModelVersion) -> None:
    rollout = start(candidate, share=2_000)
    ModelRollout.objects.update(watched_at=timezone.now() - timedelta(hours=1))
    _answers(rollout, "live", 1_000, fallbacks=10)
    _answers(rollout, "candidate", 250, fallbacks=3)
    rollout.refresh_from_db()
    assert watch.is_late(rollout)

    assert watch.check() == []

    rollout.refresh_from_db()
    assert rollout.is_open
    assert not watch.is_late(rollout)


def test_counts_of_many_processes_add_up(candidate: ModelVersion) -> None:
    rollout = start(candidate, share=2_000)
    for _ in range(3):
        _answers(rollout, "candidate", 7, fallbacks=2, ms=20)

    [row] = RolloutCount.objects.all()

    assert (row.answers, row.fallbacks, sum(row.levels), sum(row.took)) == (21, 6, 21, 21)
    side = figures.figures_of(rollout, LOW, now=timezone.now()).candidate
    assert (side.answers, side.levels[0]) == (21, 6)
    assert side.p99_us is not None
    assert 20_000 <= side.p99_us <= 25_000


def test_answers_are_counted_on_their_side_and_hold_nobody(
    candidate: ModelVersion, ask: Callable[..., Any], agree: Callable[[str], str]
) -> None:
    rollout = start(candidate, share=3_000)
    for inside, times in ((True, 2), (False, 3)):
        person = agree(next(people(rollout, inside=inside)))
        for _ in range(times):
            ask(person)
    ask("stranger")  # who permits nothing
    ask(person, mode="non_profiled")

    counted = figures.figures_of(rollout, LOW, now=timezone.now())

    assert (counted.candidate.answers, counted.live.answers) == (2, 3)
    assert counted.candidate.levels == (0, 0, 0, 0, 2)
    columns = {field.name for field in RolloutCount._meta.get_fields()}
    assert not columns & {"subject", "subject_ref", "item", "items"}


def test_a_step_and_its_bundle_are_one(candidate: ModelVersion, monkeypatch: pytest.MonkeyPatch) -> None:
    rollout = start(candidate)
    revision = ActiveBundle.objects.get().bundle_id

    def fail(*_: object, **__: object) -> str:
        raise RuntimeError

    monkeypatch.setattr("common.policy_data._publishers", [fail])
    with pytest.raises(RuntimeError), transaction.atomic():
        service.set_share(rollout.pk, 100, actor=DORA)

    rollout.refresh_from_db()
    assert (rollout.share, ModelVersion.objects.get(pk=candidate.pk).canary_share) == (0, 0)
    assert ActiveBundle.objects.get().bundle_id == revision
