"""Timeline of what takes two officers, in one form on every page: steps of subjects, oldest first."""

from typing import Any

from django.template.loader import render_to_string
from django.utils.safestring import SafeString

from common.admin_pages.display import exact_moment, sentence, who
from oversight.approvals import subjects
from oversight.models import Step


def of(*named: tuple[str, str]) -> list[dict[str, Any]]:
    """Return the steps of subjects, each named by kind and key; of several, each says which kind it is of."""
    found = [step for kind, key in named for step in Step.objects.filter(subject=kind, object=key)]
    return [
        {"at": exact_moment(step.at), "what": _what(step, len(named) > 1), "by": who(step.actor), "note": step.note}
        for step in sorted(found, key=lambda step: (step.at, step.pk))
    ]


def _what(step: Step, of_several: bool) -> str:
    return sentence(f"{subjects.find(step.subject).noun}_{step.kind}" if of_several else step.kind)


def drawn(*named: tuple[str, str]) -> SafeString:
    """Return the timeline as it stands in a field of an admin page."""
    return render_to_string("admin/changes/timeline.html", {"steps": of(*named)})
