"""End the keeping of what imports leave on the disk."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

from django.utils import timezone

from audit import trail
from common import actors
from consent.models import ConsentImport
from privacy.retention.own_records import record_periods


def forget_import_reports() -> int:
    """Delete the reports of imports that ended longer ago than reports are kept; return their number. Idempotent.

    The row of an import stays: it keeps its file from being taken in twice, and names no person.
    """
    before = timezone.now() - record_periods.period("import_reports")
    deleted = 0
    for run in ConsentImport.objects.filter(finished_at__lt=before).exclude(report=""):
        deleted += _deleted(Path(run.report), run)
        ConsentImport.objects.filter(pk=run.pk).update(report="")
    return deleted


def due(period: timedelta) -> Iterator[tuple[str, int | str]]:
    """Return how many reports are older than a period."""
    old = ConsentImport.objects.filter(finished_at__lt=timezone.now() - period).exclude(report="")
    yield "Reports of imports deleted the next night, for good", old.count()


def _deleted(report: Path, run: ConsentImport) -> int:
    """Delete a report unless something else has its name by now, which its size shows."""
    if not report.is_file() or report.is_symlink() or report.stat().st_size != run.report_bytes:
        return 0
    report.unlink()
    trail.record("consent_import.report_deleted", str(run.pk), actor=actors.job("retention"))
    return 1
