"""Assessments and runbook of a version: questions with answers, risks with measures, a day of review.

DPIA: GDPR, Article 35(7), with the officer's advice (35(2)), people's views (35(9)) and prior consultation (36).
Fundamental-rights assessment: AI Act, Article 27(1). Runbook: what an operator needs at three in the morning.
"""

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from model_registry.documents.card import Contact, Part, Short, Text
from model_registry.documents.completeness import says

Degree = Literal["low", "medium", "high"]


def _a_day(text: str) -> str:
    """Return a day of the calendar, or nothing. Raises ValueError."""
    if text and date.fromisoformat(text) == date.max:
        raise ValueError("that is no day on which anything is looked at again")
    return text


Day = Annotated[str, Field(pattern=r"^([0-9]{4}-[0-9]{2}-[0-9]{2})?$"), AfterValidator(_a_day)]

# Questions of each kind: key, words, source.
DPIA: Mapping[str, tuple[str, str]] = {
    "description": ("What is done with which data, and for which purposes?", "Article 35(7)(a)"),
    "necessity": ("Why is it necessary, and why is less not enough?", "Article 35(7)(b)"),
    "proportionality": ("What is the gain against what people give?", "Article 35(7)(b)"),
    "measures": ("Which measures answer the risks, and how is that shown?", "Article 35(7)(d)"),
    "officer": ("What does the data protection officer advise?", "Article 35(2)"),
    "views": ("What do the people concerned say, or why were they not asked?", "Article 35(9)"),
    "consultation": ("Does a high risk remain, and was the authority consulted?", "Article 36"),
}
FRIA: Mapping[str, tuple[str, str]] = {
    "process": ("In which process of yours is the model used?", "Article 27(1)(a)"),
    "period": ("From when, how long and how often?", "Article 27(1)(b)"),
    "groups": ("Which people and groups are likely to be affected?", "Article 27(1)(c)"),
    "harms": ("Which harm may each of them suffer?", "Article 27(1)(d)"),
    "oversight": ("Which people oversee it, and how?", "Article 27(1)(e)"),
    "measures": ("What is done when a risk comes true, and where do complaints go?", "Article 27(1)(f)"),
}
RUNBOOK: Mapping[str, tuple[str, str]] = {
    "start": ("How is it brought into use?", ""),
    "watch": ("What shows that it works, and which figure is an alarm?", ""),
    "stop": ("How is it stopped at once, and what do people get then?", ""),
    "back": ("How does one go back to the version before?", ""),
    "incident": ("Who is informed of an incident, and within which time?", ""),
}


class AssessedRisk(Part):
    """A risk with likelihood and severity before and after its measure."""

    risk: Text
    likelihood: Degree
    severity: Degree
    measure: Text = ""
    remaining: Degree


class Assessment(Part):
    """Answers to the questions of a kind, with risks and the day on which it is looked at again."""

    answers: dict[Short, Text] = {}
    risks: list[AssessedRisk] = []
    review_due: Day = ""


class Runbook(Part):
    """How a version is operated; ``contacts`` in the order in which they are called."""

    answers: dict[Short, Text] = {}
    contacts: list[Contact] = []


def unanswered(answers: Mapping[str, str], questions: Mapping[str, tuple[str, str]]) -> list[str]:
    """Return the questions without an answer, in their words."""
    return [words for key, (words, _source) in questions.items() if not says(answers.get(key, ""))]
