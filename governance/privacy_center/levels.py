"""Level of personalisation of one person: the steps, the level now, why, and how far the consents would reach."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import msgspec
from django.conf import settings
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from common.levels import LEVELS, LevelName
from consent.ledger.selectors import PurposeState
from consent.models import Purpose
from consent.register import words
from personalization import engine
from policies.bundles import loading, reasons
from policies.bundles.loading import LoadedBundle
from policies.decisions import evaluate, information
from policies.decisions.evaluate import RenderedVerdict
from policies.decisions.information import Information, InformationUnavailable
from policies.decisions.questions import Question

MAIN_PURPOSE = "recommendations"
Text = str | Promise


@dataclass(frozen=True)
class Step:
    slug: LevelName
    uses: Text
    gives: Text

    @property
    def label(self) -> Text:
        return words.LEVELS[self.slug]


def steps() -> list[Step]:
    """Return the steps from the least personal use to the most."""
    return [
        Step("none", _("Nothing about you"), _("What is popular with everybody")),
        Step("segment", _("Your region and age group"), _("What is popular with people like you")),
        Step("behavioral", _("The last 100 things you did here"), _("Suggestions from what you liked")),
        Step("contextual", _("The same, and this visit"), _("Suggestions that follow along")),
        Step("individual", _("Everything you did here"), _("The closest suggestions")),
    ]


def limit_label(proof: Mapping[str, Any]) -> str | None:
    """Return the most personal use that a record allows, where it sets or lifts a limit."""
    limit = proof.get("max_level") or ("individual" if "adjusts" in proof else None)
    return str(words.LEVELS[limit]) if limit else None


def in_force(ref: UUID) -> tuple[Information | None, LoadedBundle | None]:
    """Return what every question of this page shares, read once."""
    try:
        known = information.read(ref)
    except InformationUnavailable:
        return None, None
    return known, loading.usable(known.bundle_revision)


def answers_now(
    ref: UUID, purposes: Iterable[Purpose], gpc: bool, known: Information | None, bundle: LoadedBundle | None
) -> dict[str, RenderedVerdict | None]:
    """Return the current answer to a ``personalize`` question per purpose; None for those that never personalise."""
    return {
        purpose.slug: _answer_now(ref, purpose, gpc, known, bundle) if "personalize" in purpose.actions else None
        for purpose in purposes
    }


def _answer_now(
    ref: UUID, purpose: Purpose, gpc: bool, known: Information | None, bundle: LoadedBundle | None
) -> RenderedVerdict | None:
    if bundle is None or known is None:
        return None
    model = engine.model_in_use(bundle, ref) if purpose.slug == MAIN_PURPOSE else None
    question = Question(
        subject_ref=ref,
        action="personalize",
        purpose=purpose.slug,
        data_categories=tuple(purpose.data_categories),
        model=model,
        processing_region=settings.PROCESSING_REGION,
        gpc=gpc,
        segment_size=engine.segment_size(model, bundle, engine.segment_key(known.region, known.age_band)),
    )
    return evaluate.preview(question, known=known)


def level_of(answer: RenderedVerdict | None) -> str:
    """Return the level that an answer permits."""
    return (answer.verdict.level or "none") if answer and answer.verdict.decision else "none"


def because(answer: RenderedVerdict | None) -> str:
    """Return why the level is what it is, for the person."""
    if answer is None:
        return str(_("Nothing here is personalised."))
    if answer.verdict.reasons:
        return reasons.for_person(answer.verdict.reasons[0].code)
    return str(_("You allowed it, and you can change that at any time."))


def reach_of(
    ref: UUID, states: list[PurposeState], gpc: bool, known: Information | None, bundle: LoadedBundle | None
) -> str:
    """Return the level the consents would permit if the person had set no limit."""
    purpose = next((state.purpose for state in states if state.purpose.slug == MAIN_PURPOSE), None)
    if known is None or purpose is None:
        return "none"
    unlimited = {place: {k: v for k, v in entry.items() if k != "lv"} for place, entry in known.consents.items()}
    return level_of(_answer_now(ref, purpose, gpc, msgspec.structs.replace(known, consents=unlimited), bundle))


def shown(step: Step, level: str, reach: str) -> dict[str, Any]:
    """Return a step as the template shows it: ``level`` is the one in force, ``reach`` the highest there could be."""
    return {
        "slug": step.slug,
        "label": step.label,
        "uses": step.uses,
        "gives": step.gives,
        "is_current": step.slug == level,
        "is_permitted": LEVELS[step.slug] <= LEVELS[reach],
        "can_choose": LEVELS[reach] > 0 and step.slug != level and LEVELS[step.slug] <= LEVELS[reach],
    }
