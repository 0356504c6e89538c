"""Kinds of documents of a version: what each is read into, and what it lacks."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from model_registry.documents import assessments, completeness, datasheet
from model_registry.documents.assessments import Assessment, Runbook
from model_registry.documents.card import ModelCard
from model_registry.documents.datasheet import DataSheet


@dataclass(frozen=True)
class DocumentKind:
    """A kind: its title, its model, and what a document of it lacks."""

    title: str
    model: type[BaseModel]
    missing: Callable[[Any], list[str]]

    def score(self, document: Any) -> int:
        """Return how complete a document is, 0 to 100."""
        whole = len(self.missing(self.model()))
        return 100 * (whole - len(self.missing(document))) // whole if whole else 100


def _of_assessment(questions: Mapping[str, tuple[str, str]]) -> Callable[[Assessment], list[str]]:
    def missing(document: Assessment) -> list[str]:
        lacks = assessments.unanswered(document.answers, questions)
        has_risks = document.risks and all(completeness.says(each.risk) for each in document.risks)
        return [*lacks, *([] if has_risks else ["Risks"]), *([] if document.review_due else ["Day of review"])]

    return missing


def _of_runbook(document: Runbook) -> list[str]:
    lacks = assessments.unanswered(document.answers, assessments.RUNBOOK)
    said = [completeness.says(each.name) and completeness.says(each.contact) for each in document.contacts]
    has_contacts = said and all(said)
    return [*lacks, *([] if has_contacts else ["Contacts, in the order in which they are called"])]


KINDS: Mapping[str, DocumentKind] = {
    "card": DocumentKind("Model card", ModelCard, completeness.missing),
    "datasheet": DocumentKind("Data sheet", DataSheet, datasheet.missing),
    "dpia": DocumentKind("Data protection impact assessment", Assessment, _of_assessment(assessments.DPIA)),
    "fria": DocumentKind("Fundamental-rights assessment", Assessment, _of_assessment(assessments.FRIA)),
    "runbook": DocumentKind("Runbook", Runbook, _of_runbook),
}
