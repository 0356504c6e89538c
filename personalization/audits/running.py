"""Ask for audits of a version, run them, keep what they found under a signature, and suspend what fails."""

import json
import logging
from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from audit import jws, signing, trail
from common import actors, policy_data
from common.canonical import canonical_json, sha256
from common.http.problems import InvalidRequest
from common.jobs.runs import RunState
from model_registry import services
from model_registry.gates import outcome, recording
from model_registry.gates.findings import FAILED
from model_registry.gates.outcome import Line
from model_registry.models import Evidence, ModelVersion
from personalization.audits import gathering
from personalization.audits.gathering import NotAuditable
from personalization.audits.models import AuditRun
from personalization.audits.suite import AUDITS, Result

logger = logging.getLogger(__name__)
TYP = "assent-model-audit+jws"
# A running audit that gave no sign of life for so long was killed; the sweep starts it anew. A step takes a minute.
STALLED_AFTER = timedelta(minutes=15)
# Killed whenever it was taken up for so long, a run is given up.
GIVEN_UP_AFTER = timedelta(hours=6)
Progress = Callable[[str, int], None]


class UnknownAudit(InvalidRequest):
    code = "audit_unknown"
    title = "There is no such audit"


@transaction.atomic
def request(version: ModelVersion, *, author: str, only: Iterable[str] = ()) -> AuditRun:
    """Ask for audits of a version; the worker takes them up. An open run of the same audits is returned instead.

    Raises NotAuditable, UnknownAudit.
    """
    from personalization.tasks import run_audits  # the task calls back into this module

    row = _stored(version, author=author, only=only)
    run_audits.delay_on_commit(str(row.pk))
    return row


def _stored(version: ModelVersion, *, author: str, only: Iterable[str], state: RunState = RunState.WAITING) -> AuditRun:
    wanted = _named(only)
    gathering.refuse_foreign(version)
    ModelVersion.objects.select_for_update(of=("self",)).get(pk=version.pk)
    current: dict[str, Any] = {"version": version, "artifact_sha256": version.artifact_sha256, "audits": wanted}
    waiting: AuditRun | None = AuditRun.objects.filter(**current, state=RunState.WAITING).first()
    if waiting is not None and state == RunState.WAITING:
        return waiting
    row = AuditRun.objects.create(**current, author=str(author), state=state)
    trail.record("model.audit_requested", str(version), actor=author, details={"run": str(row.pk), "audits": wanted})
    return row


def _named(only: Iterable[str]) -> list[str]:
    wanted = list(dict.fromkeys(only)) or list(AUDITS)
    for name in wanted:
        if name not in AUDITS:
            raise UnknownAudit(f"There is no audit “{name}”. There are: {', '.join(AUDITS)}.")
    return [name for name in AUDITS if name in wanted]


def run_now(
    version: ModelVersion, *, author: str, only: Iterable[str] = (), progress: Progress | None = None
) -> AuditRun:
    """Run audits at once, in this process. Raises NotAuditable, UnknownAudit."""
    with transaction.atomic():
        row = _stored(version, author=author, only=only, state=RunState.RUNNING)
    _guarded(row, progress)
    return row


def run(pk: UUID | str) -> None:
    """Run what was asked for. Nothing to do where another worker has, or is at it."""
    row = AuditRun.objects.select_related("version__model").take(pk, after=STALLED_AFTER)
    if row is None:
        return
    try:
        _guarded(row, None)
    except NotAuditable:
        logger.info("The version of audit %s cannot be audited", pk)


def to_take_up() -> list[UUID]:
    """Return runs without a worker: the broker was away, or a worker was killed. One that is killed each time fails."""
    since = timezone.now() - GIVEN_UP_AFTER
    stalled = AuditRun.objects.stalled(STALLED_AFTER).select_related("version__model")
    for row in stalled.filter(requested_at__lt=since):
        _fail(row, "The worker was killed each time it was taken up. It may need more memory or time.")
    return list(AuditRun.objects.without_worker(STALLED_AFTER).values_list("pk", flat=True)[:20])


def _guarded(row: AuditRun, progress: Progress | None) -> None:
    try:
        _run(row, progress)
    except NotAuditable as refused:
        _fail(row, refused.detail)
        raise
    except Exception:
        _fail(row, "The audit broke off. The log of the worker says why.")
        raise


def _run(row: AuditRun, progress: Progress | None) -> None:
    _moved(row, "reading", 0, progress)
    audited = gathering.gather(row.version)
    results = {}
    for done, name in enumerate(row.audits, start=1):
        _moved(row, name, done, progress)
        results[name] = AUDITS[name].run(audited)
    with transaction.atomic():
        _finish(row, results)


def _moved(row: AuditRun, step: str, done: int, progress: Progress | None) -> None:
    row.move(step, done)
    if progress is not None:
        progress(step, done)


def _finish(row: AuditRun, results: dict[str, Result]) -> None:
    """Keep and sign what was found, append the evidence, and suspend a version that fails, in one transaction.

    Raises NotAuditable where the version has another file by now.
    """
    policy_data.take_turn()
    version = ModelVersion.objects.select_for_update(of=("self",)).select_related("model").get(pk=row.version_id)
    if version.artifact_sha256 != row.artifact_sha256:
        raise NotAuditable("The version has another file than the one that was audited.")
    row.state, row.finished_at = RunState.DONE, timezone.now()
    row.document = _document(row, version, results)
    payload = canonical_json(row.document)
    row.signature = signing.sign(payload, typ=TYP)
    row.save(update_fields=["state", "finished_at", "document", "signature"])
    digest = sha256(payload).hex()
    for name, result in results.items():
        figures = {**result.figures, "run": str(row.pk), "report_sha256": digest}
        recording.record_evidence(
            version, Evidence.Kind.AUDIT, name, is_passed=result.is_passed, actor=row.author, figures=figures
        )
    _suspend_failed(version, results, row.author)


def _document(row: AuditRun, version: ModelVersion, results: dict[str, Result]) -> dict[str, Any]:
    return {
        "run": str(row.pk),
        "model": version.model.slug,
        "version": version.version,
        "artifact_sha256": row.artifact_sha256,
        "asked_by": row.author,
        "finished_at": row.finished_at.isoformat() if row.finished_at else None,
        "results": {
            name: {
                "measured": result.is_measured,
                "passed": result.is_passed,
                "figures": result.figures,
                "report": result.report,
            }
            for name, result in results.items()
        },
    }


def _suspend_failed(version: ModelVersion, results: dict[str, Result], actor: str) -> None:
    failed = [line for line in failures(version) if line.suspends and _is_of(line, results)]
    if failed:
        reason = " ".join(line.finding.why for line in failed)
        services.suspend_protectively(version, reason=reason[:500], actor=actor)


def failures(version: ModelVersion) -> list[Line]:
    """Return the demanded gates of audits that a version fails."""
    of_audits = {audit.gate for audit in AUDITS.values()}
    return [line for line in outcome.of(version).lines if line.slug in of_audits and line.finding.state == FAILED]


def _is_of(line: Line, results: dict[str, Result]) -> bool:
    """Return whether a gate is about what was measured. What could not be measured fails it, but suspends nothing."""
    return any(AUDITS[name].gate == line.slug and result.is_measured for name, result in results.items())


def _fail(row: AuditRun, why: str) -> None:
    row.state, row.error, row.finished_at = RunState.FAILED, why[:500], timezone.now()
    row.document, row.signature = None, ""
    with transaction.atomic():
        row.save(update_fields=["state", "error", "finished_at", "document", "signature"])
        trail.record("model.audit_failed", str(row.version), actor=row.author, details={"run": str(row.pk)})


def untrue(row: AuditRun) -> str:
    """Say what is wrong with the signature of a run that has ended; nothing where it holds for the version's file."""
    trusted = {key["kid"]: key for key in signing.published_keys()["keys"]}
    try:
        payload, _kid = jws.verify(row.signature, typ=TYP, trusted=trusted)
    except jws.NotGenuine as refused:
        return str(refused)
    if json.loads(payload) != row.document:
        return "The document is not the one that was signed."
    if row.document["artifact_sha256"] != row.version.artifact_sha256:
        return "The document is about another file."
    return ""


def after_training(version: ModelVersion | None) -> None:
    """Ask for the audits of a draft, where the setting says so."""
    if version is not None and settings.MODEL_AUDITS == "after_training":
        request(version, author=actors.job("audits"))


def before_review(version: ModelVersion, status: str, actor: str) -> None:
    """Ask for the audits of a version that is submitted for review, where the setting says so."""
    is_ours = version.artifact and settings.MODEL_AUDITS == "before_review"
    if is_ours and status == ModelVersion.Status.IN_REVIEW:
        request(version, author=actor)
