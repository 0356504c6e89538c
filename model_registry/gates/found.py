"""Evidence of a version as gates read it: seven statements for any demands."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from common.levels import LEVELS
from model_registry.documents import basis
from model_registry.documents.models import Document
from model_registry.gates.models import DocumentReview, Evidence, GateDemand, GateExemption
from model_registry.models import ModelVersion

Status = ModelVersion.Status


@dataclass(frozen=True)
class Found:
    """All that is known of a version as of ``now``."""

    version: ModelVersion
    now: datetime
    demands: Sequence[GateDemand]
    documents: Mapping[str, Document]
    verdicts: Mapping[int, DocumentReview]
    evidence: Mapping[tuple[str, str], Evidence]
    exemptions: Mapping[str, GateExemption]
    before: ModelVersion | None

    @cached_property
    def basis(self) -> bytes:
        """Return the digest of what the version may do now."""
        return basis.digest(self.version)


def gather(version: ModelVersion, now: datetime) -> Found:
    """Read the evidence of a version."""
    documents = version.documents.order_by("kind", "-revision").distinct("kind").defer("source")
    rows = list(documents)
    verdicts = DocumentReview.objects.filter(document__in=rows).exclude(verdict=DocumentReview.Verdict.COMMENT)
    evidence = version.evidence.filter(artifact_sha256=version.artifact_sha256)
    exemptions = GateExemption.objects.filter(model_id=version.model_id, version=version.version)
    return Found(
        version=version,
        now=now,
        demands=_demands(version),
        documents={row.kind: row for row in rows},
        verdicts={verdict.document_id: verdict for verdict in verdicts.order_by("id")},
        evidence={
            (row.kind, row.name): row for row in evidence.order_by("kind", "name", "-id").distinct("kind", "name")
        },
        exemptions={each.gate: each for each in exemptions},
        before=_before(version),
    )


def _demands(version: ModelVersion) -> list[GateDemand]:
    """Return the demands on a version; of several of one gate, all count."""
    serves = {purpose.pk for purpose in version.purposes.all()}
    level = LEVELS[version.max_level]
    return [
        demand
        for demand in GateDemand.objects.filter(is_active=True).order_by("slug")
        if LEVELS[demand.from_level] <= level and (demand.purpose_id is None or demand.purpose_id in serves)
    ]


def _before(version: ModelVersion) -> ModelVersion | None:
    """Return the version in use that this one would take over from."""
    older = ModelVersion.objects.filter(model_id=version.model_id, version__lt=version.version)
    in_use = (ModelVersion.Status.LIVE, ModelVersion.Status.SUSPENDED)
    return older.filter(status__in=in_use).order_by("-version").first()
