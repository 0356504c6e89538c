"""What the form of each kind of document asks for: sections of entries, each with its place in the document.

The words are those of the list of what a document lacks, so that a reader finds the entry for each.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, get_args

from model_registry.documents import assessments, datasheet
from model_registry.documents.assessments import Degree
from model_registry.documents.card import Governance

Path = tuple[str, ...]
Choices = tuple[tuple[str, str], ...]


class Widget(StrEnum):
    """How an entry is typed. ``LINES``: a list, one a line; ``UNLESS``: a box that is ticked for false."""

    LINE = "line"
    TEXT = "text"
    LINES = "lines"
    DAY = "day"
    NUMBER = "number"
    CHOICE = "choice"
    FLAG = "flag"
    UNLESS = "unless"


@dataclass(frozen=True)
class Entry:
    path: Path
    label: str
    widget: Widget = Widget.LINE
    help: str = ""
    choices: Choices = ()


@dataclass(frozen=True)
class Rows:
    """List of objects: its entries' paths begin at each object."""

    path: Path
    label: str
    entries: tuple[Entry, ...]


@dataclass(frozen=True)
class Section:
    title: str
    parts: Sequence[Entry | Rows]
    note: str = ""


def _choices(values: Sequence[Any], empty: str = "Not chosen") -> Choices:
    return tuple((value, value.capitalize() or empty) for value in values)


def _degree(name: str, label: str) -> Entry:
    return Entry((name,), label, Widget.CHOICE, choices=_choices(("", *get_args(Degree))))


def _questions(asked: Mapping[str, tuple[str, str]]) -> list[Entry]:
    return [Entry(("answers", key), words, Widget.TEXT, source) for key, (words, source) in asked.items()]


def _assessment(asked: Mapping[str, tuple[str, str]]) -> list[Section]:
    risks = Rows(
        ("risks",), "Risk",
        (
            Entry(("risk",), "Risk", Widget.TEXT), _degree("likelihood", "Likelihood"), _degree("severity", "Severity"),
            Entry(("measure",), "Measure", Widget.TEXT), _degree("remaining", "Remaining risk"),
        ),
    )  # fmt: skip
    due = Entry(("review_due",), "Day of review", Widget.DAY, "From the day after, it counts as missing.")
    return [Section("Questions", _questions(asked)), Section("Risks", [risks]), Section("Review", [due])]


_CONTACTS = (Entry(("name",), "Name"), Entry(("contact",), "E-mail, telephone or address"))
_RUNBOOK = [
    Section("Questions", _questions(assessments.RUNBOOK)),
    Section("Contacts, in the order in which they are called", [Rows(("contacts",), "Contact", _CONTACTS)]),
]


def _lines(*path: str, label: str, help_text: str = "One a line.") -> Entry:
    return Entry(path, label, Widget.LINES, help_text)


_SLUGS = "Short names, one a line."
_CARD = [
    Section(
        "What it is",
        [
            Entry(("name",), "Name"), Entry(("overview",), "Overview", Widget.TEXT), Entry(("version",), "Version"),
            Entry(("date",), "Date", Widget.DAY), Rows(("owners",), "Owner", _CONTACTS),
            Rows(("licenses",), "Licence", (
                Entry(("id",), "SPDX identifier", help="Such as AGPL-3.0-only."),
                Entry(("name",), "Name, where it has no identifier"),
            )),
            Entry(("architecture", "name"), "Architecture", help="Such as EASE, item to item."),
            Entry(("architecture", "task"), "Task", help="Such as recommendation."),
            _lines("architecture", "inputs", label="Inputs"), _lines("architecture", "outputs", label="Outputs"),
        ],
    ),
    Section(
        "Training",
        [
            Rows(("training", "data"), "Training data", (
                Entry(("name",), "Name"), Entry(("description",), "Description", Widget.TEXT),
                Entry(("digest",), "Digest of the training data", help="SHA-256 of its bytes."),
            )),
            Entry(("training", "from_day"), "Training window, from", Widget.DAY),
            Entry(("training", "to_day"), "Training window, to", Widget.DAY),
            Entry(("training", "privacy_level"), "Privacy of the training"),
            Entry(("training", "epsilon"), "Epsilon", Widget.NUMBER, "Of differential privacy. Empty: without it."),
        ],
        "Figures, slices and disparities are those of the training, or of a file that is taken in.",
    ),
    Section(
        "Use",
        [
            _lines("considerations", "users", label="Users"),
            _lines("considerations", "use_cases", label="Intended uses"),
            _lines("considerations", "forbidden_uses", label="Forbidden uses"),
            _lines("considerations", "limitations", label="Limitations"),
            _lines("considerations", "tradeoffs", label="Trade-offs"),
            Rows(("considerations", "ethical"), "Risk with its mitigation", (
                Entry(("name",), "Risk", Widget.TEXT), Entry(("mitigation",), "Mitigation", Widget.TEXT),
            )),
        ],
    ),
    Section(
        "Alternatives",
        [
            Rows(("alternatives",), "Approach", (
                Entry(("approach",), "Approach"), Entry(("quality",), "Quality"), Entry(("latency",), "Latency"),
                Entry(("risk",), "Risk"), Entry(("effort",), "Effort"), Entry(("data",), "Data"),
                Entry(("chosen",), "Chosen", Widget.FLAG),
            )),
        ],
    ),
    Section(
        "Role, risk class and purposes",
        [
            Entry(("governance", "role"), "Role under the EU AI Act", Widget.CHOICE,
                  choices=_choices(get_args(Governance.model_fields["role"].annotation))),
            Entry(("governance", "risk"), "Risk class under the EU AI Act", Widget.CHOICE,
                  choices=_choices(get_args(Governance.model_fields["risk"].annotation))),
            _lines("governance", "intended_purposes", label="Purposes", help_text=_SLUGS),
            _lines("governance", "forbidden_purposes", label="Forbidden purposes", help_text=_SLUGS),
        ],
    ),
]  # fmt: skip
_HEAD = [
    Entry(("name",), "Name"), Entry(("description",), "Description", Widget.TEXT), Entry(("licence",), "Licence"),
    _lines("creators", label="Creators"), Entry(("version",), "Version"), Entry(("published",), "Published"),
]  # fmt: skip


def _group(group: str, asked: Sequence[str]) -> Section:
    parts = []
    for number in range(1, len(asked) + 1):
        at = ("answers", f"{group}.{number}")
        parts.append(Entry((*at, "text"), datasheet.worded(f"{group}.{number}"), Widget.TEXT))
        parts.append(Entry((*at, "applies"), "Does not apply, for the reason above", Widget.UNLESS))
    return Section(group.capitalize(), parts)


FORMS: Mapping[str, Sequence[Section]] = {
    "card": _CARD,
    "datasheet": [Section("Data set", _HEAD), *(_group(group, asked) for group, asked in datasheet.GROUPS.items())],
    "dpia": _assessment(assessments.DPIA),
    "fria": _assessment(assessments.FRIA),
    "runbook": _RUNBOOK,
}
