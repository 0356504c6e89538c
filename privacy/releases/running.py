"""The job of a release: makes the copy, measures it, and lays it on what was published of the table before.

It may be stopped or killed anywhere: a copy appears whole or not at all, and the same job run again makes the same one.
"""

import json
import logging
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from audit import trail
from common.jobs.runs import RunState
from privacy.anonymisation.actions import wanted
from privacy.anonymisation.errors import AnonymisationError
from privacy.anonymisation.files.opening import open_table
from privacy.models import TableRelease
from privacy.releases import uploads
from privacy.releases.asking import Asked
from privacy.releases.inputs import trees
from privacy.releases.noisy import making
from privacy.releases.profiling import Role
from privacy.releases.pseudonyms import keys

if TYPE_CHECKING:
    from privacy.anonymisation.tables import Table

logger = logging.getLogger(__name__)
STALLED_AFTER = timedelta(minutes=15)
GIVEN_UP_AFTER = timedelta(hours=6)
_BROKE = "The job broke off. The log of the worker says why."
STEPS = ("Reading and grouping", "Measuring classes", "Attacking a part of it", "Comparing with earlier releases")


def run(pk: UUID | str) -> None:
    """Carry out a release that was asked for. Nothing to do where another worker has it, or it has ended."""
    row = TableRelease.objects.select_related("table").take(pk, after=STALLED_AFTER)
    if row is not None:
        carry_out(row)


def to_take_up() -> list[UUID]:
    """Return releases without a worker; one whose worker is killed each time fails."""
    since = timezone.now() - GIVEN_UP_AFTER
    for row in TableRelease.objects.stalled(STALLED_AFTER).filter(requested_at__lt=since):
        _fail(row, "The worker was killed each time it was taken up. It may need more memory or time.")
    return list(TableRelease.objects.without_worker(STALLED_AFTER).values_list("pk", flat=True)[:20])


def carry_out(row: TableRelease) -> None:
    """Make the copy in this process. What the table does not allow is said on the row, and nothing is kept."""
    try:
        _carry_out(row)
    except AnonymisationError as refused:
        _fail(row, str(refused))
    except FileNotFoundError:
        _fail(row, "The table is gone: its time is over. Take it in again.")
    except OSError as failed:
        is_full = uploads.is_full(failed)
        _fail(
            row,
            "There is no room on the disk: nothing was kept. Make room, then prepare it anew." if is_full else _BROKE,
        )
        if not is_full:
            raise
    except Exception:
        _fail(row, _BROKE)
        raise


def _carry_out(row: TableRelease) -> None:
    with uploads.opened(row.table) as plain:
        source = open_table(plain, named=uploads.file_of(row.table))
        if source.sha256 != row.table.sha256:
            raise AnonymisationError("The file is not the one that was taken in.")
        if row.is_noisy:
            plan = making.pay(row)
            _finish(row, *making.make(row, source, plan))
            return
        report, figures = _made(row, source)
    row.move(STEPS[3], 3)
    _finish(row, report, {**figures, "overlaps": _overlaps(row, report)})


def _made(row: TableRelease, source: "Table") -> tuple[dict[str, Any], dict[str, Any]]:
    """Make the copy in classes and attack it; return its report, and what was counted before and after."""
    from common.analytics import opening  # array libraries, only in a job
    from privacy.anonymisation.actions.acting import Means
    from privacy.anonymisation.tables import anonymise_table
    from privacy.releases.measures import classes
    from privacy.releases.pseudonyms.vault import InstallationVault

    asked, target = Asked.of(row), uploads.copy_of(row)
    names = asked.columns(Role.QUASI)
    row.move(STEPS[0], 0)
    report = anonymise_table(
        source,
        target,
        names,
        asked.wish,
        hierarchies=trees.files(asked.hierarchies),
        drop=asked.left_out,
        actions=asked.acting,
        means=Means(keys.ring(), InstallationVault(asked.days)),
        workshop=opening.in_settings(),
    )
    row.move(STEPS[1], 1)
    target.chmod(0o600)
    before, after = classes.sizes(source, names), classes.sizes(open_table(target), names)
    row.move(STEPS[2], 2)
    return json.loads(json.dumps(asdict(report))), {
        "steps": list(classes.STEPS),
        "below_before": classes.below(before),
        "below_after": classes.below(after),
        "unique_before": float((before == 1).sum() / before.sum()),
        "smallest_before": int(before.min()),
        "classes_before": len(before),
        "sizes": classes.by_size(after),
        "bytes": target.stat().st_size,
        "attacks": _attacked(row, source, asked),
    }


def _attacked(row: TableRelease, source: "Table", asked: Asked) -> list[dict[str, Any]]:
    """Attack a copy of half of a sample; nothing is found where the sample is too small to be made safe."""
    from privacy.anonymisation.tables import write_copy
    from privacy.releases import attacks

    names, pseudonyms = asked.columns(Role.QUASI), wanted.columns_of(asked.acting, wanted.PSEUDONYMS)
    shown = [name for name in asked.columns(Role.OTHER) if name not in pseudonyms]
    left_out = [name for name in asked.columns(Role.PERSON) if name not in pseudonyms]
    roles = attacks.Roles(names, shown, asked.sensitive, asked.person, pseudonyms)
    hierarchies, kept = trees.files(asked.hierarchies), [*shown, *pseudonyms]

    def anonymise(part: "Table", copy: Path) -> None:
        write_copy(part, copy, attacks.KIND, names, asked.wish, hierarchies=hierarchies, drop=left_out, keep=kept)

    try:
        return [each.as_document() for each in attacks.measure(source, row.table.rows, roles, anonymise)]
    except AnonymisationError:
        return []


def published_of(row: TableRelease) -> list[TableRelease]:
    """Return what was ever published of the same table, or data set: who has it keeps it, after its end too.

    Noisy tables are left out: their budget says what they give away together with all else that is known.
    """
    if row.is_noisy:
        return []
    stages = (TableRelease.Stage.PUBLISHED, TableRelease.Stage.REVOKED)
    found = TableRelease.objects.filter(table__in=uploads.alike(row.table), stage__in=stages).exclude(pk=row.pk)
    return list(found.exclude(asked__has_key="noise").select_related("table"))


def _overlaps(row: TableRelease, report: dict[str, Any]) -> list[dict[str, Any]]:
    """Lay a copy on each that was published of the same table or data set."""
    from privacy.releases.measures import overlapping

    found: list[dict[str, Any]] = []
    for other in published_of(row):
        if other.target_sha256 != report["target_sha256"]:
            laid = overlapping.overlap(row, report, other)
            found.append({"release": str(other.pk), **asdict(laid), "smallest": laid.smallest})
    return found


def _finish(row: TableRelease, report: dict[str, Any], figures: dict[str, Any]) -> None:
    row.report, row.figures = report, figures
    row.target_sha256, row.steps_done = report["target_sha256"], len(STEPS)
    row.state, row.finished_at = RunState.DONE, timezone.now()
    with transaction.atomic():
        row.save(update_fields=["report", "figures", "target_sha256", "steps_done", "state", "finished_at"])
        result = report["result"]
        measured = {} if row.is_noisy else {"ncp": f"{result['ncp']:.4f}", "smallest": result["smallest_class"]}
        details = {"target": row.target_sha256, **measured}
        trail.record("release.made", str(row.pk), actor=row.author, details=details)


def _fail(row: TableRelease, why: str) -> None:
    row.state, row.error, row.finished_at = RunState.FAILED, why[:500], timezone.now()
    with transaction.atomic():
        row.save(update_fields=["state", "error", "finished_at"])
        trail.record("release.failed", str(row.pk), actor=row.author)
