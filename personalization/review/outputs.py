"""Recommendations as outputs to review: what they are bound to, how sure the model is, how a reviewer edits them."""

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from django.http import QueryDict

from common.canonical import sha256
from model_registry.reviews.outputs.holding import Made
from model_registry.reviews.problems import VerdictRefused
from personalization.creators import opt_outs
from personalization.models import Event, Item
from personalization.recommender.answers import Personal, Recommendation
from personalization.rules import masked as masking
from personalization.serving import reading
from policies.bundles import reasons
from policies.bundles.loading import LoadedBundle
from policies.decisions.evaluate import Decision

KIND = "recommendations"
_SAYING_NO = (Event.Kind.NOT_RELEVANT, Event.Kind.DISMISS, Event.Kind.UNDO, Event.Kind.RATING)
_MOST_SAID = 5_000


def made(
    subject_ref: UUID, purpose: str, decision: Decision, model: str, bundle: LoadedBundle, *,
    level: str, items: Sequence[Mapping[str, Any]], confidence: int, among: Collection[str] | None = None,
) -> Made:  # fmt: skip
    """Return a list as an output: with the reasons and the facts of its decision, which say nothing of who it is.

    The list is kept in full, with the names of the fields that are masked: a mask is laid on at each showing.
    """
    rendered = decision.rendered
    return Made(
        kind=KIND,
        subject_ref=subject_ref,
        purpose=purpose,
        model=model,
        artifact_sha256=str(bundle.data["models"][model]["artifact_sha256"]),
        level=level,
        decision_id=decision.id,
        revision=decision.subject_revision,
        asked=_asked(decision, among),
        content={
            "level": level,
            "items": list(items),
            "reasons": [reasons.for_officer(reason.code) for reason in rendered.verdict.reasons],
            "facts": json.loads(rendered.facts),
            "confidence": confidence,
            "masked": sorted(masking.by_verdict(rendered)),
        },
        confidence=confidence,
    )


def _asked(decision: Decision, among: Collection[str] | None) -> str:
    """Return the digest of what was decided from what: facts, level, reasons, obligations, a caller's own items."""
    verdict = decision.rendered.verdict
    said = [
        verdict.level,
        [each.code for each in verdict.reasons],
        [[o.type, o.properties] for o in verdict.obligations],
        *([] if among is None else [sorted(among)]),
    ]
    return sha256(decision.rendered.facts + json.dumps(said, sort_keys=True).encode()).hex()


def marks(decision: Decision) -> list[Mapping[str, Any]]:
    """Return the rules of review that a decision carries."""
    return [o.properties for o in decision.rendered.verdict.obligations if o.type == "human_review"]


def confidence(recommendations: Sequence[Recommendation]) -> int:
    """Return how sure the model is of a list, in per cent: the mean over its items.

    Of an item: how much of what speaks about it speaks for it, and nothing where no item of the person's own does.
    """
    if isinstance(recommendations, Personal):
        parts = recommendations.certainties()
    else:
        parts = [_certainty(each) for each in recommendations]
    return round(100 * sum(parts) / len(parts)) if parts else 0


def _certainty(recommendation: Recommendation) -> float:
    if not recommendation.because:
        return 0.0
    first = recommendation.because[0]
    speaking_for = first.contribution / first.share if first.share > 0 else 0.0
    return min(1.0, max(0.0, recommendation.score / speaking_for)) if speaking_for > 0 else 0.0


def still_wanted(
    content: Mapping[str, Any], subject_ref: UUID, purpose: str, hidden: Collection[str] | None
) -> list[dict[str, Any]]:
    """Return the items of an approved list that are still offered and that the person has not said no to since.

    What is a no, for how long, and what takes it back is as for a list without a review. Nothing is left of an item
    with a ``hidden`` tag, or with a reason that has one; nothing at all where it is None. Raises ReadingFailed and
    DatabaseError.
    """
    if hidden is None:
        return []
    slugs = [item["item"] for item in content["items"]]
    offered = Item.objects.filter(~opt_outs.is_out("creator"), pk__in=slugs, is_active=True)
    refused = reading.history(subject_ref, purpose, _SAYING_NO, _MOST_SAID).unwanted
    shown = set(offered.values_list("pk", flat=True)) - refused
    concealed = _concealed(content["items"], hidden) if hidden else frozenset()
    return [item for item in content["items"] if item["item"] in shown and concealed.isdisjoint(_named(item))]


def _concealed(items: Iterable[Mapping[str, Any]], hidden: Collection[str]) -> frozenset[str]:
    """Return which of the items of a list, and of its reasons, have a hidden tag."""
    named = frozenset().union(*map(_named, items))
    found = Item.objects.filter(pk__in=named, tags__has_any_keys=list(hidden))
    return frozenset(found.values_list("pk", flat=True))


def _named(item: Mapping[str, Any]) -> set[str]:
    """Return the item itself and those its reasons name."""
    return {item["item"], *(reason["item"] for part in ("because", "despite") for reason in item[part])}


def masked(content: Mapping[str, Any]) -> dict[str, Any]:
    """Return a list without the values of the fields that are masked for its person.

    Of a list that does not say which, those that any rule names.
    """
    fields = frozenset(content["masked"]) if "masked" in content else masking.of_all_rules()
    return {**content, "items": masking.without(content["items"], fields), "masked": sorted(fields)}


def edit(content: Mapping[str, Any], form: QueryDict) -> dict[str, Any]:
    """Return a list with the items that a reviewer gave a place, in that order. Raises VerdictRefused."""
    placed = []
    for position, item in enumerate(content["items"]):
        place = form.get(f"place-{item['item']}", "").strip()
        if place:
            placed.append((_number(place), position, item))
    if not placed:
        raise VerdictRefused("Leave at least one item, or reject the list.")
    return {**content, "items": [item for _place, _position, item in sorted(placed, key=lambda each: each[:2])]}


def _number(text: str) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > len("1000"):
        raise VerdictRefused("A place is a number, such as 1.")
    return int(text)
