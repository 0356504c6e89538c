"""Answers of an impact assessment, a fundamental-rights assessment and a runbook that the registers know."""

from datetime import timedelta

from django.utils import timezone

from consent.models import Party
from model_registry.documents.assessments import Assessment, Runbook
from model_registry.models import ModelVersion
from model_registry.prefill import register_texts as registers

REVIEW_AFTER = timedelta(days=365)


def dpia(version: ModelVersion) -> Assessment:
    """Return an impact assessment with purposes, data and reasons, recipients, retention, level and measures."""
    answers = {
        "description": registers.lines([
            *map(registers.described, registers.purposes(version)), registers.region(), *_kept(version),
            *_people(version),
        ]),
        "necessity": registers.lines(registers.reasons(version)),
        "proportionality": registers.lines(
            f"{purpose.name}: {purpose.benefit}" for purpose in registers.purposes(version)
        ),
        "measures": registers.lines(_measures(version)),
    }  # fmt: skip
    return Assessment(answers=_said(answers), review_due=_due())


def fria(version: ModelVersion) -> Assessment:
    """Return a fundamental-rights assessment with the process, its period, the groups and where complaints go."""
    officers = registers.parties((Party.Role.OFFICER, Party.Role.CONTROLLER))
    complaints = registers.parties((Party.Role.OFFICER, Party.Role.AUTHORITY))
    answers = {
        "process": registers.lines(map(registers.described, registers.purposes(version))),
        "period": registers.lines([
            "At each request, from the day it is made live until it is suspended or retired.", *_kept(version),
        ]),
        "groups": registers.lines([*_people(version), *_groups(version)]),
        "oversight": registers.lines([
            *(f"{party.get_role_display()}: {registers.reached(party)}" for party in officers),
            "Two officers approve a version; each of them can suspend it at once.",
        ]),
        "measures": registers.lines([
            *_measures(version), *(f"Complaints: {registers.reached(party)}" for party in complaints),
        ]),
    }  # fmt: skip
    return Assessment(answers=_said(answers), review_due=_due())


def runbook(version: ModelVersion) -> Runbook:
    """Return a runbook with how a version is started, watched, stopped and taken back, and whom to call."""
    officers = registers.parties((Party.Role.OFFICER,))
    answers = {
        "start": "Approved by two officers; then Make live on its page under Model versions.",
        "watch": f"Its page under Model versions; ./assent gate {version.model.slug} {version.version}.",
        "stop": "Suspend it on its page under Model versions: from the next decision on, people get the general list.",
        "back": "Make the version before live again on its page: it takes over at the next decision.",
        "incident": registers.lines(f"{registers.reached(party)}: at once." for party in officers),
    }
    return Runbook(answers=_said(answers), contacts=registers.contacts(version))


def _measures(version: ModelVersion) -> list[str]:
    return [
        f"At most the level “{version.get_max_level_display()}”, and only as far as each person allows it.",
        "A person who withdraws or objects is served without a profile from the next request on.",
        "Release gates are asked again whenever their evidence changes.",
        *_kept(version),
    ]


def _kept(version: ModelVersion) -> list[str]:
    return [f"Kept: {text}" for text in registers.retention(version)]


def _people(version: ModelVersion) -> list[str]:
    people = version.metrics.get("people")
    return [f"Learnt from {people} people who allowed it."] if people else []


def _groups(version: ModelVersion) -> list[str]:
    groups = version.metrics.get("by_segment", {})
    return [f"Measured for: {', '.join(groups)}."] if groups else []


def _said(answers: dict[str, str]) -> dict[str, str]:
    return {key: text for key, text in answers.items() if text}


def _due() -> str:
    return (timezone.now() + REVIEW_AFTER).date().isoformat()
