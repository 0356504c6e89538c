"""Simulate a candidate over the decision log, store the report, and find it again for publishing."""

import json
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone

from audit import trail
from common.canonical import canonical_json
from common.identifiers import uuid7_floor
from policies.bundles import loading, publishing
from policies.decision_log.differences import CandidateUnusable
from policies.engines.replayer import Rules
from policies.models import ActiveBundle, Bundle, Decision, Policy, SimulationReport
from policies.simulation.replay import Progress, replay
from policies.simulation.report import ReplayReport

_PAGE = 5_000
_SHORTEST_PREFIX = 6
_SIGN_OF_LIFE_S = 1.0
# A running simulation that gave no sign of life for so long was killed; the sweep starts it anew.
STALLED_AFTER = timedelta(minutes=3)
State = SimulationReport.State
Candidate = str | Path | Bundle | Policy | Rules


def simulate(
    candidate: Candidate,
    *,
    since: datetime,
    until: datetime | None = None,
    limit: int | None = None,
    examples: int = 5,
    progress: Progress | None = None,
    is_refitted: bool = False,
) -> ReplayReport:
    """Return what ``candidate`` would have answered to the decisions since then (the newest ``limit`` of them).

    A candidate is a published policy, a stored revision, a folder of Rego, or rules at hand. Nothing is stored and
    nothing that is in force is touched. Raises CandidateUnusable.
    """
    return replay(
        entries(since=since, until=until or timezone.now(), limit=limit),
        candidate=rules_of(candidate),
        base=rules_in_force(),
        since=since,
        until=until or timezone.now(),
        examples=examples,
        progress=progress,
        is_refitted=is_refitted,
        purposes_of=_purposes_of,
    )


def _purposes_of(revision: str) -> Mapping[str, Any] | None:
    """Return the purposes of a stored revision: the words that its decisions' consents were given to."""
    data = Bundle.objects.filter(pk=revision).values_list("data", flat=True).first()
    return None if data is None else json.loads(data)["purposes"]


def rules_of(candidate: Candidate) -> Rules:
    """Return a candidate's rules. Raises CandidateUnusable for an unknown revision and a folder without rules."""
    if isinstance(candidate, Rules):
        return candidate
    if isinstance(candidate, Policy):
        policies, data = publishing.assemble(candidate)
        return _rules(publishing.revision_of(policies, data), policies, canonical_json(data).decode())
    if isinstance(candidate, Bundle):
        return _stored(candidate)
    if isinstance(candidate, str) and candidate.startswith("sha256:"):
        bundle = Bundle.objects.filter(pk=candidate).first()
        if bundle is None:
            raise CandidateUnusable(f"No revision {candidate} is stored here.")
        return _stored(bundle)
    return _in_folder(Path(candidate))


def policy_named(name: str) -> Policy | None:
    """Return the published policy whose digest begins so, if it is one and not a folder."""
    digits = name.removeprefix("sha256:")
    if len(digits) < _SHORTEST_PREFIX or Path(name).is_dir():
        return None
    found = list(Policy.objects.filter(digest__startswith=f"sha256:{digits}")[:2])
    return found[0] if len(found) == 1 else None


def rules_in_force() -> Rules:
    active = ActiveBundle.objects.select_related("bundle").first()
    if active is None:
        raise CandidateUnusable("No rules are in force yet, so there is nothing to compare a candidate with.")
    return _stored(active.bundle)


def _stored(bundle: Bundle) -> Rules:
    return _rules(bundle.revision, bundle.policies, bundle.data)


def _rules(revision: str, policies: dict[str, str], data: str) -> Rules:
    return Rules(revision, policies, loading.load(revision, policies, data).data_json)


def _in_folder(folder: Path) -> Rules:
    """Read ``*.rego``, tests left out, over ``data.json`` or else the registers as they are in force."""
    try:
        policies = {
            path.name: path.read_text()
            for path in sorted(folder.glob("*.rego"))
            if not path.name.endswith("_test.rego")
        }
        data_file = folder / "data.json"
        data = data_file.read_text() if data_file.exists() else _data_in_force()
    except (OSError, UnicodeDecodeError) as exc:
        raise CandidateUnusable(f"The folder {folder} cannot be read: {exc}") from exc
    if not policies:
        raise CandidateUnusable(f"There is no revision and no folder with *.rego at {folder}.")
    try:
        document = json.loads(data)
        return _rules(publishing.revision_of(policies, document), policies, data)
    except (ValueError, LookupError, TypeError, AttributeError) as exc:
        raise CandidateUnusable(f"data.json of {folder} is not the data of a bundle: {exc!r}") from exc


def _data_in_force() -> str:
    active = ActiveBundle.objects.select_related("bundle").first()
    return active.bundle.data if active else "{}"


def decided(*, since: datetime, until: datetime) -> QuerySet[Decision]:
    """Select by identifier, which holds the time: only the partitions of those days are read."""
    return Decision.objects.filter(pk__gte=uuid7_floor(since), pk__lt=uuid7_floor(until))


def entries(*, since: datetime, until: datetime, limit: int | None = None) -> Iterator[str]:
    """Yield the lines of the log, newest first, page by page: memory is flat, and no statement lasts long."""
    left, end = limit, uuid7_floor(until)
    while left is None or left > 0:
        size = _PAGE if left is None else min(_PAGE, left)
        page = Decision.objects.filter(pk__gte=uuid7_floor(since), pk__lt=end).order_by("-pk")
        rows = list(page.values_list("pk", "entry")[:size])
        for _, entry in rows:
            yield entry
        if len(rows) < size:
            return
        end = rows[-1][0]
        left = None if left is None else left - size


def keep(
    report: ReplayReport, *, author: str, limit: int | None = None, policy: Policy | None = None
) -> SimulationReport:
    """Store a report that was made at once, with its event in the audit trail."""
    row = SimulationReport(
        candidate=report.candidate,
        policy=policy,
        since=report.since,
        until=report.until,
        at_most=limit,
        author=author,
    )
    with transaction.atomic():
        row.save(force_insert=True)
        _finish(row, report)
    return row


def latest_report(candidate: str) -> SimulationReport | None:
    """Return the newest finished simulation of a revision (``sha256:...``), or None: publishing asks for it."""
    return (
        SimulationReport.objects.filter(candidate=candidate, state=State.DONE)
        .order_by(F("finished_at").desc(nulls_last=True))
        .first()
    )


@transaction.atomic
def request_simulation(
    *,
    candidate: str,
    since: datetime,
    until: datetime,
    author: str,
    limit: int | None = None,
    change_set_digest: str = "",
) -> SimulationReport:
    """Request the simulation of a stored revision or a published policy; the worker takes it up.

    ``change_set_digest``: the candidate holds other registers, so facts are refitted.

    Raises CandidateUnusable.
    """
    from policies.tasks import run_simulation  # the task calls back into this module

    policy = Policy.objects.filter(pk=candidate).first()
    if policy is not None:
        candidate = publishing.store(policy, reason=f"candidate: {policy.note}", actor=author)[0].revision
    elif not Bundle.objects.filter(pk=candidate).exists():
        raise CandidateUnusable(f"No revision {candidate} is stored here.")
    row = SimulationReport.objects.create(
        candidate=candidate,
        policy=policy,
        since=since,
        until=until,
        at_most=limit,
        author=author,
        change_set_digest=change_set_digest,
    )
    details = {"simulation": str(row.pk), "since": since.isoformat(), "until": until.isoformat()}
    trail.record("simulation.requested", candidate, actor=author, details=details)
    run_simulation.delay_on_commit(str(row.pk))
    return row


def to_take_up() -> list[UUID]:
    """Return pending simulations without a worker: the broker was away, or a worker was killed."""
    stalled = Q(state=State.RUNNING, moved_at__lt=timezone.now() - STALLED_AFTER)
    return list(SimulationReport.objects.filter(Q(state=State.WAITING) | stalled).values_list("pk", flat=True)[:20])


def run(pk: UUID | str) -> None:
    """Run a requested simulation. Nothing to do where another worker has, or is at it."""
    now = timezone.now()
    waiting = Q(state=State.WAITING) | Q(state=State.RUNNING, moved_at__lt=now - STALLED_AFTER)
    taken = SimulationReport.objects.filter(waiting, pk=pk).update(state=State.RUNNING, moved_at=now, decisions_read=0)
    row = SimulationReport.objects.filter(pk=pk).first()
    if not taken or row is None:
        return
    try:
        _run(row)
    except CandidateUnusable as unusable:
        _fail(row, unusable.detail)
    except Exception:
        _fail(row, "The simulation broke off. The log of the worker says why.")
        raise


def _run(row: SimulationReport) -> None:
    expected = decided(since=row.since, until=row.until).count()
    row.decisions_expected = expected if row.at_most is None else min(expected, row.at_most)
    row.save(update_fields=["decisions_expected"])
    report = simulate(
        row.candidate,
        since=row.since,
        until=row.until,
        limit=row.at_most,
        progress=_signs_of_life(row),
        is_refitted=bool(row.change_set_digest),
    )
    with transaction.atomic():
        _finish(row, report)


def _signs_of_life(row: SimulationReport) -> Callable[[int], None]:
    last = time.monotonic()

    def moved(decisions: int) -> None:
        nonlocal last
        if time.monotonic() - last >= _SIGN_OF_LIFE_S:
            last = time.monotonic()
            SimulationReport.objects.filter(pk=row.pk).update(decisions_read=decisions, moved_at=timezone.now())

    return moved


def _finish(row: SimulationReport, report: ReplayReport) -> None:
    row.base, row.counts, row.document = report.base, report.counts, report.document()
    row.decisions_read = row.decisions_expected = report.decisions
    row.state, row.moved_at = State.DONE, timezone.now()
    row.finished_at = row.moved_at
    row.save()
    details = {"simulation": str(row.pk), "base": report.base, **_told(report)}
    trail.record("simulation.finished", report.candidate, actor=row.author, details=details)


def _told(report: ReplayReport) -> dict[str, int]:
    return {name: report.counts[name] for name in ("decisions", "different", "unreadable")}


def _fail(row: SimulationReport, why: str) -> None:
    row.state, row.error, row.finished_at = State.FAILED, why[:500], timezone.now()
    with transaction.atomic():
        row.save(update_fields=["state", "error", "finished_at"])
        trail.record("simulation.failed", row.candidate, actor=row.author, details={"simulation": str(row.pk)})
