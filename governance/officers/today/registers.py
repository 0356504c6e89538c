"""What the registers lack: findings of lint, a controller, notices, languages, ends."""

from collections.abc import Iterator

from django.conf import settings
from django.urls import reverse
from django.utils.translation import gettext as _

from common import languages
from consent.models import Party, Purpose
from governance.officers import findings_page, purpose_page
from governance.officers.today.items import Item, item
from privacy.retention.data_sets import periods


def gaps_and_findings() -> list[Item]:
    return [*_findings(), *_gaps()]


def _findings() -> list[Item]:
    """Return one card for all errors of the registers that have no card of their own."""
    found = findings_page.attention()
    return [item(*found, reverse("register-findings"), "now")] if found else []


def _gaps() -> list[Item]:
    """Return what the register of processing lacks: a responsible party, texts, languages, an end."""
    purposes = list(purpose_page.with_texts(Purpose.objects.filter(is_active=True)))
    kept = periods.ended()
    return [*_name_gap(), *_controller_gap(), *(each for purpose in purposes for each in _purpose_gaps(purpose, kept))]


def _name_gap() -> list[Item]:
    if settings.BUSINESS_NAME_IS_SET:
        return []
    detail = _(
        "People's pages, letters and receipts say “%(name)s”, from the address. The operator sets BUSINESS_NAME to the "
        "name that people know."
    )
    return [item(_("This installation has no name"), detail % {"name": settings.BUSINESS_NAME}, "", "soon")]


def _controller_gap() -> list[Item]:
    if Party.objects.filter(role=Party.Role.CONTROLLER).exists():
        return []
    detail = _("Receipts must name who is responsible. Add the controller to the parties.")
    return [item(_("No controller is registered"), detail, reverse("admin:consent_party_add"), "soon")]


def _purpose_gaps(purpose: Purpose, kept: set[int]) -> Iterator[Item]:
    name = {"purpose": purpose.name}
    page = reverse("admin:consent_purpose_change", args=[purpose.pk])
    version, unwritten = purpose_page.untranslated(purpose)
    if not version:
        detail = _("People are asked without being informed. Publish its text.")
        yield item(_("“%(purpose)s” has no notice") % name, detail, purpose_page.notice_url(purpose), "soon")
    if unnoticed := purpose_page.unnoticed(purpose):
        detail = _("New: %(names)s. It stays off for everybody until a notice names it and they allow it.")
        title = _("“%(purpose)s” covers more than its notice says") % name
        yield item(title, detail % {"names": ", ".join(unnoticed)}, purpose_page.notice_url(purpose), "soon")
    if unwritten:
        detail = _("Version %(version)s has no text in: %(languages)s. Its readers see another language.")
        yield item(
            _("The notice of “%(purpose)s” is not in every language") % name,
            detail % {"version": version, "languages": _names(unwritten)},
            purpose_page.notice_url(purpose, locale=unwritten[0], version=version),
            "info",
        )
    if lacking := purpose_page.lacking(purpose):
        detail = _("Name and benefit are missing in: %(languages)s.") % {"languages": _names(lacking)}
        yield item(_("“%(purpose)s” is not described in every language") % name, detail, page, "info")
    if "collect" in purpose.actions and purpose.pk not in kept:
        url = reverse("admin:privacy_retentionschedule_add")
        detail = _("Its data is kept for ever. Add a retention schedule.")
        yield item(_("“%(purpose)s” has no end") % name, detail, url, "info")


def _names(codes: list[str]) -> str:
    return ", ".join(languages.name(code) for code in codes)
