"""Page of the playground: the form of a made-up person, and what each level shows them, side by side."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from audit import trail
from common import actors
from common.admin_pages.display import badge
from common.admin_pages.permissions import requires
from consent.register import words
from personalization import engine
from personalization.explained import fallbacks
from personalization.models import Event
from personalization.playground import forms, playing
from personalization.playground.forms import DeedForms, PersonForm
from personalization.playground.playing import Column, NotPlayable, Played
from personalization.serving.reading import ReadingFailed
from policies.admin.decision_log import facts
from policies.bundles import reasons
from policies.decisions.information import InformationUnavailable
from policies.engines import EngineFailure
from policies.models import DisplayRule
from policies.models.masking import ANSWERED_FIELDS

RIGHT = "personalization.use_playground"
_EXAMPLES: Mapping[str, tuple[str, dict[str, Any]]] = {
    "adult": ("An adult who allowed it", {}),
    "minor": ("A minor", {"age_band": "minor"}),
    "new": ("A person who was never asked", {"choice": "never_asked"}),
}
_USUAL = {"age_band": "adult", "choice": "given", "most": "individual"}
_LIKES = 3  # of an example


def may_view(request: HttpRequest) -> bool:
    return request.user.has_perm(RIGHT)


@require_http_methods(["GET", "HEAD", "POST"])
@requires(RIGHT)
def show(request: HttpRequest) -> HttpResponse:
    """Show the form; a POST plays what it holds, and keeps no more of it than that it was played."""
    suggested, groups = forms.suggested(), _groups()
    if request.method == "POST":
        person, deeds = PersonForm(request.POST, groups=groups), _deeds(request.POST)
        found = _played(request, person, deeds) if person.is_valid() and deeds.is_valid() else {"is_refused": True}
    else:
        person, deeds, found = *_begun(request.GET.get("example", ""), suggested, groups), {}
    context = {
        **admin.site.each_context(request),
        "title": "Playground",
        "person": person,
        "deeds": deeds,
        "suggested": suggested,
        "examples": [(name, title) for name, (title, _) in _EXAMPLES.items()],
        **found,
    }
    return render(request, "admin/models/playground.html", context)


def _deeds(data: QueryDict | None = None, *, initial: list[dict[str, Any]] | None = None) -> Any:
    return DeedForms(data, prefix="deed", initial=initial, form_kwargs={"label_suffix": ""})


def _groups() -> list[tuple[str, str]]:
    try:
        return playing.groups()
    except InformationUnavailable:
        return []


def _begun(example: str, suggested: Iterable[tuple[str, str]], groups: list[tuple[str, str]]) -> tuple[PersonForm, Any]:
    """Return the forms with an example in them, or with what is usual."""
    _, changes = _EXAMPLES.get(example, ("", {}))
    likes = [{"item": item, "kind": Event.Kind.LIKE} for item, _ in list(suggested)[:_LIKES]] if example else []
    return PersonForm(groups=groups, initial={**_USUAL, **changes}), _deeds(initial=likes)


def _played(request: HttpRequest, person: PersonForm, deeds: Any) -> dict[str, Any]:
    made_up = forms.made_up(person, deeds)
    actor = actors.officer(request)
    trail.record("recommender.played", engine.MODEL_SLUG, actor=actor, details={"purpose": made_up.purpose})
    try:
        played = playing.play(made_up)
    except NotPlayable:
        return {"failure": "No revision of the policy is in force."}
    except (InformationUnavailable, ReadingFailed):
        return {"failure": "The database did not answer in time."}
    links = _links(played)
    return {
        "policy": _policy(played),
        "columns": [_column(column, played.permitted, links) for column in played.columns],
        "model": played.model,
    }


def _policy(played: Played) -> dict[str, Any]:
    rendered = played.rendered
    read = rendered.facts.decode()
    return {
        "level": words.LEVELS[played.permitted],
        "reasons": [(each.code, reasons.for_officer(each.code)) for each in rendered.verdict.reasons],
        "revision": played.bundle.revision,
        "rules": _rules(read, played),
        "facts": facts.in_groups(json.loads(read)),
    }


def _rules(read: str, played: Played) -> str:
    try:
        return facts.fired_rules(read, played.bundle)
    except EngineFailure:
        return "No rule could be asked."


def _column(column: Column, permitted: str, links: Mapping[str, str]) -> dict[str, Any]:
    listed = column.listed
    return {
        "level": column.level,
        "name": words.LEVELS[column.level],
        "is_theirs": column.level == permitted,
        "state": badge("Permitted", "good") if column.is_permitted else badge("Not permitted"),
        "why_not": "" if column.is_permitted else _why_not(column),
        "used": words.LEVELS[listed.used] if listed.used != column.level else "",
        "fallback": fallbacks.in_words(listed.fallback) if listed.fallback else "",
        "is_reviewed": column.is_reviewed,
        "items": [_item(each) for each in listed.items],
        "hidden": [(each.title, [(rule, links.get(rule, "")) for rule in each.rules]) for each in column.hidden],
    }


def _why_not(column: Column) -> str:
    """Say what is permitted instead, and why."""
    said = [str(reasons.for_officer(each.code)) for each in column.rendered.verdict.reasons]
    return " ".join([f"Permitted: {words.LEVELS[column.permitted]}.", *said])


def _item(item: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "title": item["title"] or item["item"],
        "why": item["why"] or "",
        "because": [_speaking(each) for each in item["because"] or ()],
        "despite": [_speaking(each) for each in item["despite"] or ()],
        "masked": ", ".join(ANSWERED_FIELDS[name].lower() for name, value in item.items() if value is None),
    }


def _speaking(reason: Mapping[str, Any]) -> str:
    return f"{reason['title']} ({100 * abs(reason['share']):.0f}\N{NO-BREAK SPACE}%)"


def _links(played: Played) -> dict[str, str]:
    """Return the pages of the rules of display that hid something."""
    named = {rule for column in played.columns for item in column.hidden for rule in item.rules}
    rows = DisplayRule.objects.filter(slug__in=named).values_list("slug", "pk") if named else ()
    return {slug: reverse("admin:policies_displayrule_change", args=[pk]) for slug, pk in rows}
