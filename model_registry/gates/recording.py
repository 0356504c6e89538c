"""Record evidence and reviews; where the version is in use, the bundle follows in the same transaction."""

from datetime import datetime
from typing import Any

from django.db import transaction

from audit import trail
from common import actors, policy_data
from model_registry.documents.models import Document
from model_registry.gates import independence
from model_registry.gates.models import DocumentReview, Evidence
from model_registry.models import ModelVersion
from oversight.problems import ChangeRefused

Verdict = DocumentReview.Verdict


@transaction.atomic
def record_evidence(
    version: ModelVersion,
    kind: str,
    name: str,
    *,
    is_passed: bool,
    actor: str,
    figures: dict[str, Any] | None = None,
    valid_until: datetime | None = None,
) -> Evidence:
    """Append what a job or an audit found out about a version's file."""
    policy_data.take_turn()
    row = Evidence.objects.create(
        version=version, kind=kind, name=name, is_passed=is_passed, figures=figures or {},
        artifact_sha256=version.artifact_sha256, made_by=str(actor), valid_until=valid_until,
    )  # fmt: skip
    details = {"kind": str(kind), "name": name, "passed": is_passed, "artifact_sha256": version.artifact_sha256}
    trail.record("model.evidence", str(version), actor=actor, details=details)
    version.publish_if_in_bundle(reason=f"evidence {name} of model {version}", actor=actor)
    return row


@transaction.atomic
def review(row: Document, *, verdict: str, role: str, actor: str, comment: str = "") -> DocumentReview:
    """Give a verdict or a comment on a revision of a document.

    Raises SecondOfficerNeeded where an approval is not another officer's, ChangeRefused for a verdict without reason.
    """
    policy_data.take_turn()
    if verdict != Verdict.APPROVED and not comment.strip():
        raise ChangeRefused("Say why, so that its author can do better.")
    positions = independence.refuse_unfit(row, role, actor) if verdict == Verdict.APPROVED else []
    given = DocumentReview.objects.create(
        document=row, verdict=verdict, role=role, comment=comment.strip()[:2_000], actor=str(actor),
        account_id=actors.account_of(actor),
    )  # fmt: skip
    details = {"kind": row.kind, "revision": row.revision, "role": role, "provenance": positions}
    trail.record(f"model.document_{verdict}", str(row.version), actor=actor, details=details)
    row.version.publish_if_in_bundle(reason=f"{row.kind} of model {row.version} {verdict}", actor=actor)
    return given
