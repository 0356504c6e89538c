"""What asks for an officer in the policy layer: rollouts, the log, instruments, systems, OPA servers, credentials."""

from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from governance.officers.today.items import DAY, Item, item
from oversight.rollouts import watch
from policies.models import LogDrop, ProcessingSystem, Rollout, ServiceCredential, TransferInstrument
from policies.opa import servers
from policies.rollout import pages


def rollouts() -> list[Item]:
    """Return the running rollout, or the last one, if a guard ended it lately."""
    last = Rollout.objects.select_related("policy").first()
    if last is None:
        return []
    url = reverse("rollout", args=[last.pk])
    if watch.is_late(last):
        detail = _(
            "The guards have not looked at the rollout for a while. Are the worker, beat and the drainer running?"
        )
        return [item(_("A rollout is not watched"), detail, url, "now", last.watched_at)]
    if last.is_open:
        return [item(_("A rollout is running"), pages.headline(last), url, "info", last.started_at)]
    if last.state != Rollout.State.ROLLED_BACK or last.ended_at is None or last.ended_at < timezone.now() - 7 * DAY:
        return []
    return [item(_("A policy was rolled back by itself"), last.why, url, "now", last.ended_at)]


def kept_days() -> list[Item]:
    """Return one card for days of the decision log that could not be dropped."""
    kept = LogDrop.objects.filter(state=LogDrop.State.REFUSED).order_by("day").first()
    if kept is None:
        return []
    url = reverse("admin:policies_logdrop_change", args=[kept.pk])
    return [item(_("The decision log keeps days past their period"), kept.why, url, "soon", kept.moved_at)]


def instruments() -> list[Item]:
    ending = TransferInstrument.objects.filter(valid_until__lt=timezone.now() + 60 * DAY)
    return [
        item(
            str(instrument.name),
            _("Transfers under it are denied once it has ended."),
            reverse("admin:policies_transferinstrument_change", args=[instrument.pk]),
            "soon",
            instrument.valid_until,
        )
        for instrument in ending
    ]


def systems() -> list[Item]:
    return [
        item(
            _("“%(name)s” keeps data where it may not") % {"name": system.name},
            _("%(count)d of its places are not allowed by the residency rules. Move the data, or change a rule.")
            % {"count": len({(finding["resource"], finding["region"]) for finding in system.findings})},
            reverse("admin:policies_processingsystem_change", args=[system.pk]),
            "now",
            system.checked_at,
        )
        for system in ProcessingSystem.objects.exclude(findings=[])
    ]


def opa_servers() -> list[Item]:
    """Return one line for all servers: where the network to Assent is cut, many report the same."""
    behind = servers.needing_attention()
    if not behind:
        return []
    names = ", ".join(each.instance.name for each in behind[:3]) + (", …" if len(behind) > 3 else "")
    error = next((error for each in behind for error in each.instance.errors), "")
    detail = servers.in_words(error) if error else _("They answer by older rules, by none, or say nothing.")
    title = _("OPA servers do not decide by the rules in force: %(names)s") % {"names": names}
    return [item(title, detail, reverse("admin:policies_opainstance_changelist"), "now", behind[0].instance.heard_at)]


def credentials() -> list[Item]:
    ending = ServiceCredential.objects.filter(revoked_at=None, expires_at__lt=timezone.now() + 14 * DAY)
    return [
        item(
            _("The credential of “%(name)s” runs out") % {"name": credential.name},
            _("The service is refused from then on. Create a new one in time."),
            reverse("admin:policies_servicecredential_changelist"),
            "soon",
            credential.expires_at,
        )
        for credential in ending
    ]
