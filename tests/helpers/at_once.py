"""Acts of several officers at the same moment, each on a connection of its own."""

from collections.abc import Callable
from threading import Barrier, Thread

from django.db import connection, transaction

from common.http.problems import Problem
from tests.helpers.polling import are_waiting_for_locks, until


def at_once(*acts: Callable[[], object]) -> list[str]:
    """Run acts in threads with connections of their own; return "done" or the refusal's code for each, sorted."""
    start, said = Barrier(len(acts)), list[str]()

    def run(act: Callable[[], object]) -> None:
        start.wait()
        said.append(_outcome(act))

    threads = [Thread(target=run, args=[act]) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sorted(said)


def before_it_is_committed(first: Callable[[], object], second: Callable[[], object]) -> str:
    """Begin the second act while the first is done and not committed; return "done" or the second's code of refusal."""
    said = list[str]()
    thread = Thread(target=lambda: said.append(_outcome(second)))
    with transaction.atomic():
        first()
        thread.start()
        until(lambda: said or are_waiting_for_locks(), "the second act ends, or waits for the first")
    thread.join()
    return said[0]


def _outcome(act: Callable[[], object]) -> str:
    try:
        act()
    except Problem as problem:
        return problem.code
    finally:
        connection.close()
    return "done"
