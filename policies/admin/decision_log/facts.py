"""Facts of a logged decision in groups, and the rules that fire for them."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from common.admin_pages.display import NOTHING, document, grid, sentence, words
from consent.models import AgeBand, Level
from consent.register import words as consent_words
from policies.bundles import loading
from policies.bundles.loading import BundleMissing, LoadedBundle
from policies.engines import EngineFailure
from policies.explaining.explanations import explain_facts
from policies.models import Decision

# Headings of the members of the decision contract, in the order in which a reader asks.
_GROUPS = (
    ("The question", ("action", "purpose", "requested_level")),
    ("The person's choice", ("consent", "ancestors", "objection", "restricted", "held")),
    ("The person", ("subject", "visitor", "time", "idle_display_rules")),
    ("Signals", ("signals",)),
    ("The processing", ("processing",)),
    ("The model", ("model", "engine", "unsampled_reviews")),
)


# Facts as a privacy officer calls them, by their path in the decision contract.
_LABELS = {
    "action": "What was asked",
    "purpose": "Purpose",
    "requested_level": "Level that was asked for",
    "consent.state": "Answer in force",
    "consent.explicit": "Answered explicitly",
    "consent.notice_current": "Answered under a version that still counts",
    "consent.channel_allowed": "Channel is allowed",
    "consent.refused_categories": "Data the person refused",
    "consent.unagreed_categories": "Data the person was never asked about",
    "consent.lifts_signal": "Agreed although an opt-out signal was sent",
    "consent.max_level": "Highest level of the answer",
    "consent.source": "Answered by way of",
    "objection": "Objected",
    "restricted": "Processing is restricted",
    "held": "Kept for a legal hold",
    "subject.region": "Region",
    "subject.jurisdiction": "Law that applies",
    "subject.age_band": "Age",
    "subject.known": "Is in the register",
    "visitor": "A visitor without a record",
    "time.quiet_hours": "Quiet hours where the person is",
    "signals.gpc": "Global Privacy Control (opt-out by the browser)",
    "signals.gpp_opt_out": "Opt-out in a GPP string",
    "signals.tcf_present": "A TCF string was sent",
    "signals.tcf_purposes": "TCF purposes with consent",
    "processing.region": "Where the data is processed",
    "processing.recipient": "Who receives it",
    "processing.channel": "Channel",
    "processing.data_categories": "Data in question",
    "processing.sensitive": "Sensitive among it",
    "processing.expired_instruments": "Transfer instruments that have ended",
    "model": "Model",
    "model.id": "Model",
    "model.version": "Version",
    "model.status": "Status",
    "model.max_level": "Highest level of the model",
    "model.purposes": "Purposes the model may serve",
    "model.gates": "Checks before its approval",
    "engine.segment_k": "People in the smallest segment",
    "engine.privacy_budget": "Privacy budget",
    "idle_display_rules": "Rules of display that were out of their days",
    "unsampled_reviews": "Rules of review whose sample the person is outside of",
}
_LEVELS = frozenset({"requested_level", "consent.max_level", "model.max_level"})


def in_groups(facts: Mapping[str, Any]) -> SafeString:
    """Render facts below headings; members that no heading names stand at the end."""
    return format_html_join("", '<h4 class="fact-heading">{}</h4>{}', _groups(facts))


def _groups(facts: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    named = {name for _heading, names in _GROUPS for name in names}
    for heading, names in (*_GROUPS, ("Other facts", sorted(facts.keys() - named))):
        if found := {name: facts[name] for name in names if name in facts}:
            yield heading, document(dict(_in_words(found)))


def _in_words(found: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield facts by their labels; what has none keeps its place in the document."""
    for name, value in found.items():
        if name == "ancestors":
            yield from (
                (f"Answer to the broader purpose {words(slug)}", _state(state)) for slug, state in value.items()
            )
        elif isinstance(value, Mapping):
            known = {member: content for member, content in value.items() if f"{name}.{member}" in _LABELS}
            yield from ((_LABELS[path := f"{name}.{member}"], _value(path, known[member])) for member in known)
            if others := {member: content for member, content in value.items() if member not in known}:
                yield name, others
        else:
            yield _LABELS.get(name, name), _value(name, value)


def _value(path: str, value: Any) -> Any:
    """Return a fact's value in words."""
    if path in _LEVELS and value in Level.values:
        return str(Level(value).label)
    if path == "action":
        return consent_words.action(value)
    if path == "consent.state":
        return _state(value)
    return AgeBand(value).label if path == "subject.age_band" and value in AgeBand.values else value


def _state(state: str) -> str:
    return str(consent_words.STATES.get(state, words(state).capitalize()))


def fired(decision: Decision) -> str:
    """Evaluate the logged facts again by the bundle that decided, and list the rules that fired."""
    entry = json.loads(decision.entry)
    if entry.get("engine") == "none" or "package" in entry["facts"] or not decision.bundle_revision:
        return "No rule was asked: the answer was given before any, or by a policy package of its own."
    try:
        return fired_rules(json.dumps(entry["facts"]), loading.loaded(decision.bundle_revision))
    except (BundleMissing, EngineFailure):
        return "The bundle that decided cannot be evaluated again here."


def fired_rules(facts: str, bundle: LoadedBundle) -> str:
    """List the rules of a bundle that fire for these facts. Raises EngineFailure."""
    explained = explain_facts(facts, bundle)
    rows = [(_rule(each), format_html("<code>{}</code>", each["source"])) for each in explained if each["fired"]]
    return grid(("Rule", "Where it stands"), rows) if rows else NOTHING


def _rule(explained: Mapping[str, Any]) -> SafeString:
    """Return what a rule is called and what it says of itself; one without a title has its name."""
    title = explained["title"]
    name = title if " " in title else sentence(title)
    return format_html('{}<br><span class="start-muted">{}</span>', name, explained.get("description", ""))
