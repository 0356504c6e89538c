"""Data sheet of a data set: the seven groups of questions of Gebru et al., "Datasheets for Datasets", version 8.

Questions are kept by number, as answers refer to them; their words here are our own short ones. A question that does
not apply is answered ``not applicable`` with its reason, and counts as answered only with one.
"""

from collections.abc import Mapping
from typing import Annotated

from pydantic import Field

from model_registry.documents.card import Dataset, Kept, Names, Part, Short, Text, Texts
from model_registry.documents.completeness import says

# Group: its questions, the last of each "other comments".
GROUPS: Mapping[str, tuple[str, ...]] = {
    "motivation": ("Purpose", "Made by", "Funded by", "Other comments"),
    "composition": (
        "Instances", "How many", "All or a sample", "Data of an instance", "Labels", "Missing information",
        "Relations between instances", "Recommended splits", "Errors, noise, redundancies", "Outside resources",
        "Confidential data", "Offensive data", "Subpopulations", "Identifiable people", "Sensitive data",
        "Other comments",
    ),
    "collection": (
        "How acquired", "Mechanisms", "Sampling", "Who collected", "When", "Ethical review", "From people directly",
        "People notified", "Consent", "Revoking consent", "Impact assessment", "Other comments",
    ),
    "preprocessing": ("What was done", "Raw data kept", "Software", "Other comments"),
    "uses": ("Used for already", "Where uses are listed", "Other tasks", "Effects on future uses",
             "Not to be used for", "Other comments"),
    "distribution": ("To third parties", "How", "When", "Licence", "Restrictions of others", "Export controls",
                     "Other comments"),
    "maintenance": ("Maintained by", "Contact", "Erratum", "Updates", "Retention", "Older versions",
                    "Contributions", "Other comments"),
}  # fmt: skip
QUESTIONS = tuple(f"{group}.{number}" for group, asked in GROUPS.items() for number in range(1, len(asked) + 1))


class Answer(Part):
    """Answer to a question; ``applies`` is false for one that does not apply, with its reason as the text."""

    text: Text = ""
    applies: bool = True


class DataSheet(Part):
    """Sheet of one data set. ``answers``: by question, such as ``composition.3``."""

    name: Short = ""
    description: Text = ""
    url: Short = ""
    licence: Short = ""
    creators: Names = []
    published: Short = ""
    version: Short = ""
    cite_as: Text = ""
    keywords: Names = []
    files: list["DataFile"] = []
    answers: dict[Annotated[str, Field(pattern=r"^[a-z]+\.[0-9]{1,2}$")], Answer] = {}
    responsible: dict[Short, Text | Texts] = {}
    kept: Kept = {}


class DataFile(Dataset):
    """File of a data set: where it lies, its form, its SHA-256 (``digest``)."""

    encoding: Short = ""
    size: Short = ""


def unanswered(sheet: DataSheet) -> list[str]:
    """Return the questions without an answer; other comments may stay empty."""
    comments = {f"{group}.{len(asked)}" for group, asked in GROUPS.items()}
    return [each for each in QUESTIONS if each not in comments and not says(sheet.answers.get(each, Answer()).text)]


def worded(question: str) -> str:
    """Return a question's number with its words."""
    group, _, number = question.partition(".")
    return f"{question} {GROUPS[group][int(number) - 1]}"


def missing(sheet: DataSheet) -> list[str]:
    """Return what a sheet lacks: members of its head, then questions by number and words, as its form has them."""
    head = ("name", "description", "licence", "creators", "version", "published")
    absent = [name for name in head if not _is_said(getattr(sheet, name))]
    return [*absent, *(worded(question) for question in unanswered(sheet))]


def _is_said(value: str | list[str]) -> bool:
    return any(map(says, [value] if isinstance(value, str) else value))
