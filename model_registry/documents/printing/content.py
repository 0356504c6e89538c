"""Content of a document as sections of texts, lists and tables: what HTML and PDF write alike.

A member that says nothing is left out. What the document lacks stands at its end, so that a reader need not search.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel

from model_registry.documents import assessments, datasheet, keeping
from model_registry.documents.kinds import KINDS
from model_registry.documents.models import Document
from model_registry.gates.models import DocumentReview, GateExemption

Pairs = Sequence[tuple[str, str]]


@dataclass(frozen=True)
class Table:
    """A table with a heading of columns; each row is as long."""

    caption: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]


@dataclass(frozen=True)
class Section:
    """A heading, and below it named facts, texts, a list and tables: each only where there is something."""

    title: str
    facts: Pairs = ()
    texts: Sequence[str] = ()
    items: Sequence[str] = ()
    tables: Sequence[Table] = ()

    @property
    def says_something(self) -> bool:
        return bool(self.facts or self.texts or self.items or self.tables)


@dataclass(frozen=True)
class Content:
    """A document to print: its title, what it is by, and its sections."""

    title: str
    about: Pairs
    sections: Sequence[Section] = field(default_factory=list)


def of(row: Document) -> Content:
    """Return the content of a kept document, with its reviews, and what of its version's gates does not apply."""
    version, described = row.version, KINDS[row.kind]
    document = keeping.document_of(row)
    sections = [*_SECTIONS[row.kind](document), _reviews(row), _exemptions(row), _missing(described.missing(document))]
    return Content(
        title=f"{described.title}: {version.title}",
        about=[
            ("Version", str(version)),
            ("Revision", str(row.revision)),
            ("Kept", f"{row.made_at:%Y-%m-%d %H:%M} UTC"),
            ("Complete", f"{row.score} of 100"),
            ("SHA-256", row.sha256_hex),
        ],
        sections=[each for each in sections if each.says_something],
    )


def _reviews(row: Document) -> Section:
    reviews = DocumentReview.objects.filter(document=row)
    rows = [
        (each.get_verdict_display(), each.get_role_display(), f"{each.given_at:%Y-%m-%d}", each.comment)
        for each in reviews
    ]
    return Section("Reviews", tables=_table("Reviews of this revision", ("Verdict", "For", "On", "Comment"), rows))


def _exemptions(row: Document) -> Section:
    """Return the gates that do not apply to the version: they stand on its card, with the reason."""
    if row.kind != "card":
        return Section("Gates that do not apply")
    found = GateExemption.objects.filter(model=row.version.model_id, version=row.version.version)
    return Section("Gates that do not apply", facts=[(each.gate, each.reason) for each in found])


def _missing(missing: Sequence[str]) -> Section:
    return Section("What this document lacks", items=list(missing))


# Model card


def _card(card: Any) -> list[Section]:
    said = card.considerations
    return [
        Section("Overview", texts=_texts(card.overview, card.documentation), facts=_facts(
            card, ("name", "version", "date", "changes", "languages", "tags", "references"))),
        Section("Owners and licences", tables=[
            *_objects("Owners", card.owners, ("name", "contact")),
            *_objects("Licences", card.licenses, ("id", "name", "link", "text")),
            *_objects("Citations", card.citations, ("style", "citation"))]),
        Section("Architecture", facts=_facts(card.architecture)),
        Section("Training", facts=_facts(card.training, ("from_day", "to_day", "privacy_level", "epsilon")),
                tables=_objects("Data", card.training.data, (
                    "name", "type", "url", "description", "sensitive", "digest"))),
        Section("Evaluation", tables=[*_figures(card.evaluations), *_disparities(card.disparities)]),
        Section("Uses", facts=_facts(said, ("users", "use_cases", "forbidden_uses"))),
        Section("Limits and risks", facts=_facts(said, ("limitations", "tradeoffs")), tables=[
            *_objects("Risks", said.ethical, ("name", "mitigation")),
            *_objects("Fairness", said.fairness, ("group_at_risk", "benefits", "harms", "mitigation"))]),
        Section("Alternatives", tables=_objects("Approaches that were compared", card.alternatives, (
            "approach", "quality", "latency", "risk", "effort", "data", "chosen"))),
        Section("Governance", facts=_facts(card.governance)),
        Section("Text", texts=_texts(card.body)),
    ]  # fmt: skip


def _figures(evaluations: Iterable[Any]) -> list[Table]:
    rows = [
        (
            each.task, each.dataset.name, metric.slice, metric.name or metric.type, _text(metric.value),
            _interval(metric.interval),
        )
        for each in evaluations
        for metric in each.metrics
    ]  # fmt: skip
    return _table("Figures", ("Task", "Data", "Slice", "Figure", "Value", "Interval"), rows)


def _disparities(found: Iterable[Any]) -> list[Table]:
    rows = [(each.metric, each.group, _text(each.value), _interval(each.interval)) for each in found]
    return _table("Disparities between groups", ("Figure", "Group", "Difference", "Interval"), rows)


def _interval(interval: Any) -> str:
    return f"{_text(interval.lower)} to {_text(interval.upper)}" if interval else ""


# Data sheet, assessments, runbook


def _datasheet(sheet: Any) -> list[Section]:
    head = ("name", "description", "url", "licence", "creators", "published", "version", "cite_as", "keywords")
    files = _objects("Files", sheet.files, ("name", "url", "encoding", "size", "digest"))
    groups = [
        Section(group.capitalize(), facts=[
            (asked, _answer(sheet.answers[key]))
            for number, asked in enumerate(questions, start=1)
            if (key := f"{group}.{number}") in sheet.answers and sheet.answers[key].text
        ])
        for group, questions in datasheet.GROUPS.items()
    ]  # fmt: skip
    responsible = [(_words(name), _text(value)) for name, value in sheet.responsible.items()]
    return [
        Section("Data set", facts=_facts(sheet, head), tables=files),
        *groups,
        Section("Responsible AI", responsible),
    ]


def _answer(answer: Any) -> str:
    return str(answer.text) if answer.applies else f"Does not apply: {answer.text}"


def _assessment(questions: Mapping[str, tuple[str, str]]) -> Any:
    def sections(document: Any) -> list[Section]:
        members = ("risk", "likelihood", "severity", "measure", "remaining")
        due = [("To be reviewed by", document.review_due)] if document.review_due else []
        return [
            Section("Answers", facts=_answers(document.answers, questions)),
            Section("Risks", tables=_objects("Risks", document.risks, members)),
            Section("Review", facts=due),
        ]

    return sections


def _runbook(document: Any) -> list[Section]:
    contacts = _objects("In the order in which they are called", document.contacts, ("name", "contact"))
    return [
        Section("Answers", facts=_answers(document.answers, assessments.RUNBOOK)),
        Section("Contacts", tables=contacts),
    ]


def _answers(answers: Mapping[str, str], questions: Mapping[str, tuple[str, str]]) -> Pairs:
    known = [(f"{words} ({source})" if source else words, key) for key, (words, source) in questions.items()]
    others = [(key, key) for key in answers if key not in questions]
    return [(words, answers[key]) for words, key in [*known, *others] if answers.get(key, "").strip()]


_SECTIONS: Mapping[str, Any] = {
    "card": _card,
    "datasheet": _datasheet,
    "dpia": _assessment(assessments.DPIA),
    "fria": _assessment(assessments.FRIA),
    "runbook": _runbook,
}


# Parts


def _facts(part: BaseModel, names: Sequence[str] = ()) -> Pairs:
    said = ((name, _text(getattr(part, name))) for name in names or type(part).model_fields)
    return [(_words(name), text) for name, text in said if text]


def _objects(caption: str, parts: Sequence[BaseModel], names: Sequence[str]) -> list[Table]:
    """Return a table of parts, without the columns in which no part says anything."""
    rows = [[_text(getattr(part, name)) for name in names] for part in parts]
    used = [place for place in range(len(names)) if any(row[place] for row in rows)]
    return _table(caption, [_words(names[place]) for place in used], [[row[place] for place in used] for row in rows])


def _table(caption: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> list[Table]:
    return [Table(caption, columns, rows)] if rows and columns else []


def _texts(*texts: str) -> list[str]:
    return [paragraph for text in texts for paragraph in text.split("\n\n") if paragraph.strip()]


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, (list, tuple)):
        return "; ".join(filter(None, map(_text, value)))
    if isinstance(value, dict):
        return "; ".join(f"{name}: {_text(each)}" for name, each in value.items())
    return "" if value is None else str(value)


def _words(name: str) -> str:
    return {"id": "Id", "url": "Address", "digest": "SHA-256", "from_day": "From", "to_day": "To"}.get(
        name, name.replace("_", " ").capitalize()
    )
