"""How far a deletion run is: for the shell and the admin."""

from privacy.models import Disposal
from privacy.retention import plans

_WIDTH = 30


def permille(run: Disposal) -> int:
    """Return how much of its plan a run has deleted; a run that is done has done all there was."""
    if run.status == Disposal.Status.DONE:
        return 1_000
    planned = sum(plans.planned(run.plan).values()) if run.plan else 0
    return min(1_000, run.total_removed * 1_000 // planned) if planned else 0


def line(run: Disposal) -> str:
    """Return one line with a bar."""
    done = permille(run)
    filled = done * _WIDTH // 1_000
    planned = f" of {sum(plans.planned(run.plan).values()):,}" if run.plan else ""
    why = f": {run.why_stopped}" if run.why_stopped else ""
    return (
        f"{run.id} {run.about} [{'#' * filled}{'.' * (_WIDTH - filled)}] {done / 10:.1f} %"
        f" {run.total_removed:,}{planned} rows, {run.get_status_display().lower()}{why}"
    )
