"""Acts of several officers at the same moment, each on a connection of its own."""

from collections.abc import Callable
from threading import Barrier, Thread

from django.db import connection

from common.http.problems import Problem


def at_once(*acts: Callable[[], object]) -> list[str]:
    """Run acts in threads with connections of their own; return "done" or the refusal's code for each, sorted."""
    start, said = Barrier(len(acts)), []

    def run(act: Callable[[], object]) -> None:
        try:
            start.wait()
            act()
            said.append("done")
        except Problem as problem:
            said.append(problem.code)
        finally:
            connection.close()

    threads = [Thread(target=run, args=[act]) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sorted(said)
