"""The list of the decision log for officers: its form, its lines, and the way on."""

from operator import itemgetter
from typing import Any

from django.urls import reverse
from django.utils import timezone

from common.admin_pages.display import NOTHING, badge, moment, who
from common.admin_pages.filters import SPANS
from consent.models import Level, Purpose
from consent.register import words
from policies.bundles import reasons
from policies.decision_log.search.filters import Filter, page
from policies.models import Bundle, Decision, ServiceCredential

LIST = "admin/decision_log.html"
EXPORTS = {"csv": "text/csv; charset=utf-8", "jsonl": "application/jsonl"}
TONES = {"permit": "good", "deny": "plain", "unknown": "alarm"}
_REVISIONS = 20


def log_page(chosen: Filter) -> dict[str, Any]:
    """Return the context of the page. None of the decisions that there are is counted."""
    found = page(chosen)
    names = dict(Purpose.objects.values_list("slug", "name"))
    return {
        **_form(chosen, names),
        "decisions": [_line(decision, chosen, names) for decision in found.decisions],
        "older": chosen.query(before=found.goes_on) if found.goes_on else "",
        "searched": found.searched,
        "newest": chosen.query(before="") if chosen.before else None,
        "exports": [(kind, f"{_url(kind)}?{chosen.query(before='')}") for kind in EXPORTS],
    }


def bad_page(refusal: str) -> dict[str, Any]:
    """Return the context that says why a filter cannot be read; nothing is shown as if it had been."""
    names = dict(Purpose.objects.values_list("slug", "name"))
    return {**_form(Filter(), names), "refusal": refusal, "decisions": []}


def _form(chosen: Filter, names: dict[str, str]) -> dict[str, Any]:
    newest = Bundle.objects.order_by("-created_at").only("revision", "reason")[:_REVISIONS]
    callers = ServiceCredential.objects.order_by("name").values_list("name", flat=True)
    codes = sorted(((code, str(reasons.for_officer(code))) for code in reasons.CODES), key=itemgetter(1))
    selects = [
        ("caller", "Asked by", [(f"service:{name}", name) for name in callers]),
        ("outcome", "Answer", Decision.Outcome.choices),
        ("reason", "Reason", codes),
        ("purpose", "Purpose", sorted(names.items(), key=lambda pair: pair[1].lower())),
        ("action", "What was asked", [(name, words.action(name)) for name in words.ACTIONS]),
        ("level", "Level", Level.choices),
        ("revision", "Rules", [(b.revision, f"{b.revision.removeprefix('sha256:')[:12]} {b.reason}") for b in newest]),
        ("since", "Span", [(span, label) for span, (label, _length) in SPANS.items()]),
    ]
    return {
        "chosen": chosen,
        "zone": chosen.zone or timezone.get_current_timezone_name(),
        "days": chosen.days(),
        "selects": [(name, label, _with(getattr(chosen, name), options)) for name, label, options in selects],
    }


def _with(value: str, options: Any) -> list[tuple[str, str, bool]]:
    """Return options with whether each is chosen; what is chosen and no longer offered is among them."""
    known = list(options)
    more = [(value, value)] if value and value not in {name for name, _label in known} else []
    return [(name, label, name == value) for name, label in [*known, *more]]


def _url(kind: str) -> str:
    return reverse("admin:policies_decision_export", args=[kind])


def _line(decision: Decision, chosen: Filter, names: dict[str, str]) -> dict[str, Any]:
    return {
        "url": reverse("admin:policies_decision_change", args=[decision.pk]),
        "when": moment(decision.decided_at),
        "exact": timezone.localtime(decision.decided_at),
        "day": chosen.day_of(decision.decided_at),
        "answer": answer(decision),
        "asked": asked(decision, names),
        "level": level(decision),
        "because": reasons.for_officer(decision.reasons[0]) if decision.reasons else NOTHING,
        "by": who(decision.caller),
        "by_url": chosen.query(caller=decision.caller, before=""),
    }


def answer(decision: Decision) -> str:
    """Return the outcome as a badge."""
    return badge(decision.get_outcome_display(), TONES[decision.outcome])


def asked(decision: Decision, names: dict[str, str]) -> str:
    """Return the question in words."""
    purpose = names.get(decision.purpose, "a purpose that is not in the register")
    return f"{words.action(decision.action)} for: {purpose}"


def level(decision: Decision) -> str:
    """Return the level that was reached, in words."""
    return str(Level(decision.level).label) if decision.level in Level.values else NOTHING
