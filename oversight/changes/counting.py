"""Figures over everybody, which take a while: described while the write stands, counted once after it.

Few people are counted at once. For many a job does it, as the publishers wait while a preview's transaction is open;
the set's page shows how far it has come.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connections, transaction

from common.postgres import advisory
from oversight.changes import figures
from oversight.changes.documents import Compared
from oversight.changes.figures import Measured
from oversight.changes.steps import locked
from oversight.models import ChangeSet

Wanted = list[dict[str, Any]]
Progress = Callable[[int], None]
_ONE_COUNT = 0x636F756E << 32  # "coun", and the number of the set
AT_ONCE = 50_000  # rows that are counted within the request: a few hundredths of a second


@dataclass(frozen=True)
class Count:
    """A count over everybody.

    ``describe`` returns, as JSON, what to count over the registers as they stand in this transaction; ``measure``
    counts what was described before the write and after it, and returns the figures of both. ``expected``: about how
    many rows it reads.
    """

    describe: Callable[[Sequence[Compared]], Wanted]
    measure: Callable[[Wanted, Wanted, Progress], tuple[Iterable[Measured], Iterable[Measured]]]
    expected: Callable[[], int]


_counts: dict[str, Count] = {}


def add_count(name: str, count: Count) -> None:
    """Register a count. Called in ``AppConfig.ready()``."""
    _counts[name] = count


def describe(changes: Sequence[Compared]) -> dict[str, Wanted]:
    """Return what every count would count over the registers as they stand in this transaction."""
    return {name: count.describe(changes) for name, count in _counts.items()}


def ask(change_set: ChangeSet, before: dict[str, Wanted], after: dict[str, Wanted]) -> None:
    """Note on a set what is to be counted for it; nothing where no count has anything to do."""
    wanted = {name: [before.get(name, []), after.get(name, [])] for name in _counts}
    found = {name: pair for name, pair in wanted.items() if any(pair)}
    change_set.counting = {"share": 0, "wanted": found} if found else None


def begin(change_set: ChangeSet) -> None:
    """Count what a stored set asks for: now where that is quick, else by a job."""
    if change_set.counting is None:
        return
    if sum(_counts[name].expected() for name in change_set.counting["wanted"]) <= AT_ONCE:
        finish(change_set)
    else:
        from oversight.tasks import count_everybody  # the task calls back into this module

        count_everybody.delay_on_commit(change_set.pk)


def finish(change_set: ChangeSet, *, progress: Progress = lambda _share: None) -> None:
    """Count, and put the figures on the set, unless it was checked anew since."""
    asked = change_set.counting
    if asked is None:
        return
    found = measured(asked["wanted"], progress=progress)
    with transaction.atomic():
        current = locked(change_set)
        if current.counting is None or current.counting["wanted"] != asked["wanted"]:
            return
        current.preview, current.counting = [*found, *current.preview], None
        current.save(update_fields=["preview", "counting"])
    change_set.preview, change_set.counting = current.preview, None


def measured(wanted: dict[str, list[Wanted]], *, progress: Progress) -> list[dict[str, Any]]:
    """Return the figures of counts, each with its value before and after."""
    found = []
    for number, (name, (before, after)) in enumerate(wanted.items()):
        old, new = _counts[name].measure(before, after, _part(progress, number, len(wanted)))
        found += figures.paired(old, new)
    return found


def _part(progress: Progress, number: int, of: int) -> Progress:
    """Return the progress of one count among several."""
    return lambda share: progress((100 * number + share) // of)


def waiting() -> list[int]:
    """Return the sets whose count was asked for and is not done: the broker was away, or a worker was killed."""
    open_sets = ChangeSet.objects.filter(counting__isnull=False, state__in=ChangeSet.OPEN_STATES)
    return list(open_sets.values_list("pk", flat=True)[:20])


def count_for(pk: int) -> None:
    """Count for a set, and say on it how far that has come, unless another worker counts for it.

    The sweep asks again for what is not done, and cannot know whether a worker lives: the lock ends with its process.
    """
    with advisory.held(_ONE_COUNT + pk) as is_ours:
        change_set = ChangeSet.objects.filter(pk=pk, counting__isnull=False).first() if is_ours else None
        if change_set is not None:
            _count_for(change_set)


def _count_for(change_set: ChangeSet) -> None:
    # A connection of its own: the count reads as of one moment, in a transaction that writes nothing.
    other = connections["default"].copy()
    try:

        def note(share: int) -> None:
            with other.cursor() as cursor:
                cursor.execute(
                    "UPDATE oversight_changeset SET counting = jsonb_set(counting, '{share}', to_jsonb(%s::int))"
                    " WHERE id = %s AND counting IS NOT NULL",
                    [share, change_set.pk],
                )

        finish(change_set, progress=note)
    finally:
        other.close()
