"""Model versions in tests: their evidence, as a training, two officers and their documents leave it."""

from datetime import timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from common import policy_data
from model_registry import services
from model_registry.documents import assessments, keeping
from model_registry.documents.assessments import AssessedRisk, Assessment, Runbook
from model_registry.documents.card import Contact, ModelCard
from model_registry.documents.kinds import KINDS
from model_registry.gates import recording
from model_registry.models import Document, DocumentReview, Evidence, ModelVersion
from tests.model_registry.gates.whole_card import WHOLE_CARD

SOUND: dict[str, dict[str, Any]] = {
    "bias": {"slices": 4, "worst": "region=DE", "worst_at_most": 950},
    "leak": {"advantage_at_most": 100, "probing_at_most": 100},
}
"""Figures of audits that pass."""
REVIEW_DUE = (timezone.now() + timedelta(days=300)).date().isoformat()


def assessment(questions: Any = assessments.DPIA, *, review_due: str = REVIEW_DUE) -> Assessment:
    """A complete assessment."""
    risk = AssessedRisk(risk="Singled out.", likelihood="low", severity="low", measure="Groups.", remaining="low")
    return Assessment(answers=dict.fromkeys(questions, "Answered."), risks=[risk], review_due=review_due)


def runbook() -> Runbook:
    """A complete runbook."""
    contact = Contact(name="On call", contact="oncall@example.org")
    return Runbook(answers=dict.fromkeys(assessments.RUNBOOK, "Answered."), contacts=[contact])


def card(**changes: Any) -> ModelCard:
    """A complete model card."""
    return ModelCard.model_validate(WHOLE_CARD).model_copy(update=changes)


def approved(row: Document) -> Document:
    """The document, approved by two other officers, as one without an author's account is."""
    for actor in ("officer:second", "officer:third"):
        DocumentReview.objects.create(document=row, verdict="approved", role="privacy", actor=actor)
    return row


def evidence(
    version: ModelVersion, name: str, *, kind: str = "training", is_passed: bool = True, **figures: Any
) -> Any:
    """Evidence as a job records it."""
    return recording.record_evidence(
        version, Evidence.Kind(kind), name, is_passed=is_passed, actor="job:training", figures=figures
    )


def with_evidence(version: ModelVersion) -> ModelVersion:
    """A version with all that the shipped gates ask for."""
    if not version.metrics:
        version.metrics = {"ndcg_at_10_per_mille": {"individual": 300}}
        version.save(update_fields=["metrics"])
    evidence(version, "segments", segments=3, smallest=25)
    evidence(version, "fallback")
    for name, figures in SOUND.items():
        evidence(version, name, kind="audit", **figures)
    for kind, document in {"card": card(), "runbook": runbook(), "dpia": assessment()}.items():
        row = keeping.keep(version, kind, document, actor="officer:first")
        assert row.score == 100, KINDS[kind].missing(document)
        if kind == "dpia":
            approved(row)
    version.publish_if_in_bundle(reason="test", actor="test")
    return version


def take(version: ModelVersion, status: str) -> ModelVersion:
    """Move a version on, as officers did; a step that takes two is that of a set in force."""
    with transaction.atomic():
        policy_data.take_turn()
        current = ModelVersion.objects.select_for_update(of=("self",)).get(pk=version.pk)
        for step in _ON_THE_WAY.get((current.status, status), (status,)):
            services.move(current, step, actor="officer:test")
        policy_data.changed(reason="test", actor="officer:test")
    return current


_ON_THE_WAY = {
    ("draft", "live"): ("in_review", "approved", "live"),
    ("draft", "approved"): ("in_review", "approved"),
    ("draft", "suspended"): ("in_review", "approved", "live", "suspended"),
    ("in_review", "live"): ("approved", "live"),
}


def go_live(version: ModelVersion) -> ModelVersion:
    """A version that serves, with all that the shipped gates ask for."""
    return take(with_evidence(version), "live")
