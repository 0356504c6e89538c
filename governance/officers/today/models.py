"""What asks for an officer about models: rollouts, what waits for a decision, what ends soon."""

from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from governance.officers.today.items import Item, item
from model_registry.pages import overview
from oversight.rollouts import watch
from personalization.rollouts import kind, pages

_FEW = 5


def rollouts() -> list[Item]:
    """Return running rollouts of models; what a guard took back is a work item."""
    found = []
    for row in kind.running():
        url = reverse("model-rollout", args=[row.pk])
        if watch.is_late(row):
            detail = _("The guards have not looked at the rollout for a while. Are the worker and beat running?")
            found.append(item(_("A rollout is not watched"), detail, url, "now", row.watched_at))
        else:
            detail = pages.headline(row)
            found.append(item(_("A rollout of a model is running"), detail, url, "info", row.started_at))
    return found


def waiting() -> list[Item]:
    """Return what waits of models, and what of a version in use ends soon; all of it is on their overview."""
    now = timezone.now()
    found = overview.read(now)
    waiting = [
        item(each.what, each.why, each.url, "now" if each.is_urgent else "soon", each.since)
        for each in found.waiting
        if not each.is_of_set  # a work item of its own
    ]
    ending = [
        item(
            _("%(version)s: %(gate)s ends soon") % {"version": each.name, "gate": each.gate},
            _("From then on it is denied, and everybody gets the general list."),
            each.url,
            "soon",
            each.at,
        )
        for each in found.ending
        if each.at < now + overview.SOON
    ]
    return [*waiting[:_FEW], *ending[:_FEW]]
