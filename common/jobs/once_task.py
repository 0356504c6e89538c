"""Long Celery task that runs once for each message, however often the broker delivers it.

A broker delivers a message again that was not acknowledged in time, though its job may still run. A mark in the broker
says that the job of a message runs, kept alive by the process that runs it, or that it is done.
"""

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from celery.contrib.django.task import DjangoTask
from kombu.exceptions import OperationalError

logger = logging.getLogger(__name__)
_ALIVE_S = 30  # how long a mark outlasts a process that was killed
_DONE_S = 2 * 24 * 3600
_RUNNING, _DONE = b"running", b"done"


class OnceTask(DjangoTask):  # type: ignore[misc]  # celery has no types
    """Task whose message is carried out once: a repeat waits while the job runs and is dropped once it is done."""

    abstract = True

    def __call__(self, *args: Any, **options: Any) -> Any:
        """Run the job unless it runs or has run. Raises Celery's Retry while another process runs it."""
        from redis import RedisError  # only in workers: the client imports much, traces among it

        marks = None if self.request.called_directly or self.request.is_eager else _marks(self.app)
        if marks is None:
            return super().__call__(*args, **options)
        key = f"assent:job:{self.request.id}"
        try:
            is_ours = marks.set(key, _RUNNING, nx=True, ex=_ALIVE_S)
            found = None if is_ours else marks.get(key)
        except RedisError:
            logger.warning("The broker does not answer; %s runs without a mark", self.name)
            return super().__call__(*args, **options)
        if found == _DONE:
            logger.info("%s was delivered again after it had run", self.name)
            return None
        if not is_ours:
            raise self.retry(countdown=_ALIVE_S, max_retries=None)
        with _kept_alive(marks, key):
            return super().__call__(*args, **options)


def _marks(app: Any) -> Any:
    """Return the client of the broker; None for one that keeps no marks, or does not answer."""
    from redis import RedisError  # only in workers: the client imports much, traces among it

    try:
        connection = app.connection_for_write()
        client = connection.default_channel.client if connection.transport.driver_type == "redis" else None
    except (OperationalError, OSError, RedisError):
        logger.warning("The broker does not answer; a job runs without a mark")
        client = None
    return client


@contextmanager
def _kept_alive(marks: Any, key: str) -> Iterator[None]:
    """Keep the mark while the job runs: *done* after it, removed after a failure, lapsed after a kill."""
    ended = threading.Event()
    keeper = threading.Thread(target=_keep, args=(marks, key, ended), daemon=True)
    keeper.start()
    try:
        yield
    except BaseException:
        _stop(keeper, ended)
        _quietly(lambda: marks.delete(key))
        raise
    _stop(keeper, ended)
    _quietly(lambda: marks.set(key, _DONE, ex=_DONE_S))


def _keep(marks: Any, key: str, ended: threading.Event) -> None:
    while not ended.wait(_ALIVE_S / 3):
        _quietly(lambda: marks.set(key, _RUNNING, ex=_ALIVE_S))


def _stop(keeper: threading.Thread, ended: threading.Event) -> None:
    ended.set()
    keeper.join()


def _quietly(write: Any) -> None:
    from redis import RedisError  # only in workers: the client imports much, traces among it

    try:
        write()
    except RedisError:
        logger.warning("The broker does not answer; a job's mark was not written")
