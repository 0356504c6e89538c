"""The queue of jobs and the clock that fills it, as the broker knows them."""

import logging
import time
from collections.abc import Iterator
from typing import Any

from celery.signals import beat_init, before_task_publish
from prometheus_client.core import GaugeMetricFamily, Metric

from common.jobs import queues
from governance.celery import app

logger = logging.getLogger(__name__)
_BEAT = "assent-beat"  # a key of the broker's store


@beat_init.connect  # type: ignore[untyped-decorator]  # celery ships no types
def _watch_the_clock(**_sent: Any) -> None:
    before_task_publish.connect(note_beat, weak=False)


def note_beat(**_sent: Any) -> None:
    """Note that the clock has queued a job just now. A failure costs a metric, never the job."""
    try:
        with app.connection_for_write() as broker, broker.channel() as channel:
            if hasattr(channel, "client"):
                channel.client.set(_BEAT, str(time.time()))
    except Exception as exc:  # noqa: BLE001 (each broker has errors of its own)
        logger.warning("The broker did not take the time of the last beat (%s)", type(exc).__name__)


def metrics(now: float) -> Iterator[Metric]:
    """Return the jobs that wait, and how long ago the clock queued one. Raises OSError where the broker is away."""
    try:
        with app.connection_for_read() as broker, broker.channel() as channel:
            waiting, beat = _waiting(broker, channel), _last_beat(channel)
    except OSError:
        raise
    except Exception as exc:  # each broker has errors of its own
        raise OSError("The broker does not answer") from exc
    yield GaugeMetricFamily("assent_jobs_waiting", "Jobs no worker has taken yet.", value=waiting)
    if beat is not None:
        age = max(now - beat, 0.0)
        yield GaugeMetricFamily("assent_beat_age_seconds", "How long ago the clock queued a job.", value=age)


def _waiting(broker: Any, channel: Any) -> int:
    return sum(_length(name, broker, channel) for name in (*queues.ALL, queues.FORMER))


def _length(queue: str, broker: Any, channel: Any) -> int:
    try:
        return int(channel.queue_declare(queue, passive=True).message_count)
    except broker.channel_errors:
        return 0  # there is no queue before its first job


def _last_beat(channel: Any) -> float | None:
    noted = channel.client.get(_BEAT) if hasattr(channel, "client") else None
    return None if noted is None else float(noted)
