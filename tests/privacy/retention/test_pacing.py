"""Back-pressure: a retention run slows down while others wait or a replica is behind, and goes on to its end."""

import threading
from datetime import timedelta

import pytest
from django.db import connection

from common.actors import Officer
from personalization.models import Event
from privacy import tasks
from privacy.models import RetentionSchedule
from privacy.retention import disposal, pacing, plans
from privacy.retention.pacing import Pace
from tests.helpers.officers import make_accounts
from tests.helpers.polling import until, until_waiting_for_locks

pytestmark = pytest.mark.django_db(transaction=True)
ANN, BEN = Officer.of("ann", 1), Officer.of("ben", 2)


class Clock:
    """A clock that only sleeping moves on, and what was slept."""

    def __init__(self):
        self.now, self.slept = 0.0, []

    def __call__(self):
        return self.now

    def sleep(self, seconds):
        self.now += seconds
        self.slept.append(seconds)


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def gentle(clock):
    return Pace(gentle=True, sleep=clock.sleep, clock=clock)


@pytest.fixture
def replicas():
    """Have this session see replicas of our own making in place of the server's."""
    with connection.cursor() as cursor:
        cursor.execute("CREATE SCHEMA seen")
        cursor.execute("CREATE TABLE seen.pg_stat_replication (state text, replay_lag interval)")
        cursor.execute("SET search_path = seen, pg_catalog, public")

    def show(*lags, state="streaming"):
        with connection.cursor() as cursor:
            cursor.execute("DELETE FROM seen.pg_stat_replication")
            for lag in lags:
                cursor.execute("INSERT INTO seen.pg_stat_replication VALUES (%s, %s)", [state, lag])

    yield show
    with connection.cursor() as cursor:
        cursor.execute("RESET search_path")
        cursor.execute("DROP SCHEMA seen CASCADE")


@pytest.fixture
def due(remember, monkeypatch, settings, tmp_path):
    """Return a queued run over 20 events in batches of 5."""
    make_accounts(ANN, BEN)
    settings.ASSENT_HOME = tmp_path
    monkeypatch.setattr(tasks.run_disposals, "apply_async_on_commit", lambda **message: None)
    monkeypatch.setattr(pacing, "GENTLE_BATCH", 5)
    for number in range(20):
        remember("customer-1", 1, days=400 + number)
    schedule = RetentionSchedule.objects.select_related("purpose").get(purpose__slug="recommendations")
    plan = plans.make(schedule, actor=ANN)
    return disposal.run_of(plans.approve(plan, actor=BEN, seen=plan.digest))


def test_a_gentle_pace_rests_as_long_as_the_batch_took(gentle, clock):
    gentle.rest(0.25, 5_000)

    assert clock.slept == [0.25]


def test_a_limit_of_rows_makes_a_batch_last(clock):
    Pace(gentle=False, rows_per_s=1_000, sleep=clock.sleep, clock=clock).rest(0.5, 2_000)

    assert clock.slept == [1.5]


def test_without_gentleness_and_limit_it_never_rests(clock, replicas):
    replicas(timedelta(hours=1))

    Pace(gentle=False, sleep=clock.sleep, clock=clock).rest(0.5, 2_000)

    assert clock.slept == []


def test_the_settings_give_the_pace(settings):
    settings.RETENTION_GENTLE, settings.RETENTION_ROWS_PER_S = False, 7

    assert (pacing.for_retention().gentle, pacing.for_retention().rows_per_s) == (False, 7)


@pytest.mark.parametrize(
    ("lags", "is_high"), [((), False), ((9.9,), False), ((10.1,), True), ((0.1, 11), True), ((None,), False)]
)
def test_a_replica_behind_the_setting_is_pressure(replicas, settings, lags, is_high):
    settings.RETENTION_REPLICA_LAG_S = 10
    replicas(*(None if lag is None else timedelta(seconds=lag) for lag in lags))

    assert pacing.pressure().is_high is is_high


def test_a_run_rests_while_a_replica_lags_and_goes_on(replicas, due, gentle, clock):
    replicas(timedelta(seconds=60))

    def catch_up(seconds):
        clock.sleep(seconds)
        if len(clock.slept) == 40:
            replicas(timedelta(seconds=1))

    gentle.sleep = catch_up
    done = disposal.run(due.pk, pace=gentle)

    assert (done.status, done.removed) == ("done", {"events": 20})
    assert len(clock.slept) >= 40
    assert clock.slept.count(pacing._LOOK_AGAIN_S) >= 38


def test_a_replica_that_never_catches_up_holds_a_batch_up_for_so_long_only(replicas, due, gentle, clock):
    replicas(timedelta(hours=1))

    done = disposal.run(due.pk, pace=gentle)

    batches = done.batches.count()
    assert done.removed == {"events": 20}
    assert batches >= 4
    assert 4 * 30 <= clock.now <= (batches + 2) * 31


def test_hidden_replicas_are_warned_of_once(replicas, gentle, caplog):
    replicas(None, None, state=None)

    gentle.rest(0.0, 1)
    gentle.rest(0.0, 1)

    assert caplog.text.count("GRANT pg_read_all_stats") == 1


def test_a_run_rests_while_a_client_waits_for_a_lock_and_goes_on(due, gentle, clock):
    """A real one: a client holds a row, another waits for it."""
    holder = connection.copy()
    with holder.cursor() as cursor:
        cursor.execute("BEGIN")
        cursor.execute("LOCK TABLE model_registry_model IN ACCESS EXCLUSIVE MODE")

    def wait():
        other = connection.copy()
        with other.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM model_registry_model")
        other.close()

    waiting = threading.Thread(target=wait)
    waiting.start()
    until_waiting_for_locks()

    def let_go(seconds):
        clock.sleep(seconds)
        if len(clock.slept) == 50:
            holder.close()
            waiting.join()
            until(lambda: not pacing.pressure().waiting, "nobody waits")

    gentle.sleep = let_go
    done = disposal.run(due.pk, pace=gentle)

    assert (done.status, done.removed) == ("done", {"events": 20})
    assert len(clock.slept) >= 50
    assert not Event.objects.exists()
