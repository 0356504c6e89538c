"""Evidence of a version as gates read it: seven statements for any demands."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from django.utils import timezone

from common.levels import LEVELS
from model_registry.documents import basis
from model_registry.documents.models import Document
from model_registry.gates import reviewing
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
    reviews: Mapping[int, Sequence[DocumentReview]]
    evidence: Mapping[tuple[str, str], Evidence]
    exemptions: Mapping[str, GateExemption]
    before: ModelVersion | None

    @cached_property
    def basis(self) -> bytes:
        """Return the digest of what the version may do now."""
        return basis.digest(self.version)

    @property
    def ndcg(self) -> Mapping[str, int]:
        """Return the quality of the version by level, in thousandths."""
        return _ndcg(self.version)

    @property
    def ndcg_before(self) -> Mapping[str, int]:
        """Return the quality of the version in use; empty where there is none."""
        return _ndcg(self.before) if self.before else {}


def gather(version: ModelVersion, now: datetime | None = None) -> Found:
    """Read the evidence of a version."""
    documents = version.documents.order_by("kind", "-revision").distinct("kind").defer("source")
    rows = list(documents)
    given = DocumentReview.objects.filter(document__in=rows).exclude(verdict=DocumentReview.Verdict.COMMENT)
    reviews = _by_document(given.order_by("id"))
    evidence = version.evidence.filter(artifact_sha256=version.artifact_sha256)
    exemptions = GateExemption.objects.filter(model_id=version.model_id, version=version.version)
    return Found(
        version=version,
        now=now or timezone.now(),
        demands=_demands(version, next((row for row in rows if row.kind == "card"), None), reviews),
        documents={row.kind: row for row in rows},
        reviews=reviews,
        evidence={
            (row.kind, row.name): row for row in evidence.order_by("kind", "name", "-id").distinct("kind", "name")
        },
        exemptions={each.gate: each for each in exemptions},
        before=_before(version),
    )


def _by_document(given: Iterable[DocumentReview]) -> Mapping[int, Sequence[DocumentReview]]:
    found: dict[int, list[DocumentReview]] = defaultdict(list)
    for review in given:
        found[review.document_id].append(review)
    return found


def _demands(version: ModelVersion, card: Document | None, reviews: reviewing.Reviews) -> list[GateDemand]:
    """Return the demands on a version; of several of one gate, all count.

    A version whose card states no risk class has any of them. So has one whose card waits for its approval: who writes
    it does not choose alone what is asked for.
    """
    serves = {purpose.pk for purpose in version.purposes.all()}
    level, demands = LEVELS[version.max_level], list(GateDemand.objects.filter(is_active=True).order_by("slug"))
    risk = ""
    if card is not None and any(demand.risks for demand in demands) and reviewing.standing(card, reviews).is_approved:
        risk = card.content["governance"]["risk"]
    return [
        demand
        for demand in demands
        if LEVELS[demand.from_level] <= level
        and (demand.purpose_id is None or demand.purpose_id in serves)
        and (not demand.risks or not risk or risk in demand.risks)
    ]


def _ndcg(version: ModelVersion) -> Mapping[str, int]:
    return {str(level): int(figure) for level, figure in version.metrics.get("ndcg_at_10_per_mille", {}).items()}


def _before(version: ModelVersion) -> ModelVersion | None:
    """Return the version in use that this one would take over from."""
    older = ModelVersion.objects.filter(model_id=version.model_id, version__lt=version.version)
    in_use = (ModelVersion.Status.LIVE, ModelVersion.Status.SUSPENDED)
    return older.filter(status__in=in_use).order_by("-version").first()
