"""Facts of a logged decision in groups, and the rules that fire for them."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from common.admin_pages.display import NOTHING, document, grid
from policies.bundles import loading
from policies.bundles.loading import BundleMissing
from policies.engines import EngineFailure
from policies.explaining.explanations import explain_facts
from policies.models import Decision

# Headings of the members of the decision contract, in the order in which a reader asks.
_GROUPS = (
    ("The question", ("action", "purpose", "requested_level")),
    ("The person's choice", ("consent", "ancestors", "objection", "restricted", "held")),
    ("The person", ("subject", "time")),
    ("Signals", ("signals",)),
    ("The processing", ("processing",)),
    ("The model", ("model", "engine")),
)


def in_groups(facts: Mapping[str, Any]) -> SafeString:
    """Render facts below headings; members that no heading names stand at the end."""
    return format_html_join("", '<h4 class="fact-heading">{}</h4>{}', _groups(facts))


def _groups(facts: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for heading, names in _GROUPS:
        if found := {name: facts[name] for name in names if name in facts}:
            yield heading, document(found)
    named = {name for _heading, names in _GROUPS for name in names}
    if others := {name: value for name, value in facts.items() if name not in named}:
        yield "Other facts", document(others)


def fired(decision: Decision) -> str:
    """Evaluate the logged facts again by the bundle that decided, and list the rules that fired."""
    entry = json.loads(decision.entry)
    if entry.get("engine") == "none" or "package" in entry["facts"] or not decision.bundle_revision:
        return "No rule was asked: the answer was given before any, or by a policy package of its own."
    try:
        bundle = loading.loaded(decision.bundle_revision)
        explained = explain_facts(json.dumps(entry["facts"]), bundle)
    except (BundleMissing, EngineFailure):
        return "The bundle that decided cannot be evaluated again here."
    rows = [(each["title"], format_html("<code>{}</code>", each["source"])) for each in explained if each["fired"]]
    return grid(("Rule", "Where it stands"), rows) if rows else NOTHING
