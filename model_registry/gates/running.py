"""Checks of a version in use: what monitors found, how old its evidence is, and whether it is trained in time.

Monitors leave one row of evidence a day (``MONITORS``): ``beyond`` names the groups of monitors that are beyond their
objectives, ``unmeasured`` those with too few values for a verdict. It counts from the moment a version serves on: what
a version served in an earlier time says nothing. But one that stepped back while it was beyond waits: one officer could
make it live again, and so clear what was found.
"""

from datetime import datetime, timedelta
from decimal import Decimal

from django.db.models import Max

from model_registry.gates.documents import Check
from model_registry.gates.findings import FAILED, NOT_YET, PASSED, Finding
from model_registry.gates.found import Found
from model_registry.gates.models import Evidence
from model_registry.models import Model, ModelVersion

MONITORS = "monitors"
PATIENCE = timedelta(days=7)
"""A version that serves is measured within so many days, and then every so many days."""


def monitoring(found: Found, days: Decimal) -> Finding:
    """Ask for monitors that ran within so many days."""
    return _since_serving(found, "Monitoring", timedelta(days=float(days)), beyond="")


def within(group: str, what: str) -> Check:
    """Return a check that no monitor of a group is beyond its objective."""

    def check(found: Found, _threshold: Decimal) -> Finding:
        return _since_serving(found, what, PATIENCE, beyond=group)

    return check


def _since_serving(found: Found, what: str, patience: timedelta, *, beyond: str) -> Finding:
    if not found.version.serves:
        return _out_of_use(found, what, beyond)
    row = _newest(found)
    row = row if row is not None and row.made_at >= found.version.status_changed_at else None
    ends = (row.made_at if row else found.version.status_changed_at) + patience
    if ends <= found.now:
        return Finding(FAILED, f"{what}: not measured for {patience.days} days.", *_from(row))
    if row is None:
        return Finding(NOT_YET, f"{what}: it serves, and is to be measured by {ends:%Y-%m-%d}.", until=ends)
    if beyond and beyond in row.figures.get("beyond", ()):
        return Finding(FAILED, f"{what}: beyond its objective on {row.made_at:%Y-%m-%d}.", *_from(row))
    if beyond and beyond in row.figures.get("unmeasured", ()):
        why = f"{what}: too few values on {row.made_at:%Y-%m-%d} to judge it by."
        return Finding(NOT_YET, why, *_from(row), ends)
    said = "within its objectives" if beyond else "measured"
    return Finding(PASSED, f"{what}: {said} on {row.made_at:%Y-%m-%d}.", *_from(row), ends)


def _out_of_use(found: Found, what: str, beyond: str) -> Finding:
    row = _newest(found)
    is_back = found.version.status == ModelVersion.Status.APPROVED
    if is_back and row and beyond in row.figures.get("beyond", ()) and row.made_at + PATIENCE > found.now:
        why = f"{what}: beyond its objective on {row.made_at:%Y-%m-%d}, when it served last."
        return Finding(FAILED, why, *_from(row))
    return Finding(NOT_YET, f"{what}: asked of a version that serves.")


def _newest(found: Found) -> Evidence | None:
    kinds = (Evidence.Kind.MONITOR, Evidence.Kind.STATED)
    rows = [found.evidence[kind, MONITORS] for kind in kinds if (kind, MONITORS) in found.evidence]
    return max(rows, key=lambda each: each.pk, default=None)


def _from(row: Evidence | None) -> tuple[str, datetime | None]:
    return (row.made_by, row.made_at) if row else ("", None)


def audits_renewed(found: Found, days: Decimal) -> Finding:
    """Ask for audits that are not older than so many days, of those that are demanded."""
    names = {demand.gate.removesuffix("_audit") for demand in found.demands if demand.gate.endswith("_audit")}
    keys = [(Evidence.Kind.AUDIT.value, name) for name in sorted(names)]
    rows = [found.evidence[key] for key in keys if key in found.evidence]
    if not rows:
        return Finding(NOT_YET, "Audits: none that is demanded has been run.")
    oldest = min(rows, key=lambda row: row.made_at)
    ends = oldest.made_at + timedelta(days=float(days))
    state = PASSED if ends > found.now else FAILED
    why = f"Audits: the oldest is of {oldest.made_at:%Y-%m-%d}, at most {days:f} days old."
    return Finding(state, why, oldest.made_by, oldest.made_at, ends)


def retrained(found: Found, days: Decimal) -> Finding:
    """Ask for a training that is no later than its schedule says, by so many days at most."""
    every = Model.TRAINED_EVERY_DAYS[found.version.model.trained_every]
    if found.version.model.registrant or every is None:
        return Finding(PASSED, "Retraining: no schedule; it is trained when asked.")
    last: datetime = ModelVersion.objects.filter(model=found.version.model_id).aggregate(at=Max("created_at"))["at"]
    ends = last + timedelta(days=every + float(days))
    state = PASSED if ends > found.now else FAILED
    why = f"Retraining: the newest training is of {last:%Y-%m-%d}, one is due every {every} days."
    return Finding(state, why, "training", last, ends)
