"""Panels of a purpose's page above its form: whether it is complete, and what people answered."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db.models import QuerySet
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from common import languages
from common.admin_pages.display import words
from common.charts.counts import Figure, bars_figure
from consent.ledger import selectors
from consent.models import Notice, Party, Purpose
from consent.register import terms as agreed
from consent.register import words as consent_words
from policies.models import SensitiveCategory
from privacy.retention.data_sets import periods


@dataclass(frozen=True)
class Register:
    """Register-wide values: the party responsible where a purpose names none, and sensitive kinds of data."""

    controller: Party | None
    sensitive: frozenset[str]


def read_register() -> Register:
    controller = Party.objects.filter(role=Party.Role.CONTROLLER).first()
    return Register(controller, frozenset(SensitiveCategory.objects.values_list("slug", flat=True)))


def context(purpose: Purpose) -> dict[str, Any]:
    people = selectors.people_by_state(purpose.slug, now=timezone.now())
    register = read_register()
    return {
        "purpose": purpose,
        "basis": purpose.get_legal_basis_display(),
        "switch": switch(purpose),
        "data": [{"name": words(c), "is_sensitive": c in register.sensitive} for c in purpose.data_categories],
        "controller": purpose.controller or register.controller,
        "recipients": _recipients(purpose),
        "retention": periods.main_of(purpose),
        "notices": newest_notices(purpose),
        "languages": [languages.name(code) for code in covered(purpose)],
        "people": _people(people),
        "blocks": list(blocks(purpose, register, people=people)),
    }


def switch(purpose: Purpose) -> tuple[str, str]:
    """Return whether people can switch it, and why."""
    if purpose.needs_consent:
        return _("Off until a person allows it"), _("It rests on consent, so everybody chooses, and can take it back.")
    if purpose.may_be_objected:
        return _("On until a person objects"), _("No one is asked, but every person may object (GDPR Article 21).")
    return _("No switch"), _("It rests on “%(basis)s”: people are informed, not asked.") % {
        "basis": purpose.get_legal_basis_display()
    }


def _recipients(purpose: Purpose) -> list[dict[str, Any]]:
    parties = Party.objects.in_bulk(purpose.recipients, field_name="slug")
    return [{"slug": slug, "party": parties.get(slug)} for slug in purpose.recipients]


def newest_notices(purpose: Purpose) -> list[Notice]:
    """Return the version in force, in each of its languages."""
    notices = list(purpose.notices.all())
    newest = max((notice.version for notice in notices), default=0)
    return sorted((n for n in notices if n.version == newest), key=lambda n: n.locale)


def covered(purpose: Purpose) -> list[str]:
    """Return the languages of the name and benefit; the register's own is first."""
    return [settings.LANGUAGE_CODE, *(text.locale for text in purpose.texts.all())]


def lacking(purpose: Purpose) -> list[str]:
    """Return offered languages without a name and benefit."""
    present = {code.partition("-")[0] for code in covered(purpose)} | set(covered(purpose))
    return [code for code in languages.offered() if code not in present]


def untranslated(purpose: Purpose) -> tuple[int, list[str]]:
    """Return the version in force, and the languages it lacks: of those offered, and those of any version."""
    newest = newest_notices(purpose)
    if not newest:
        return 0, []
    wanted = dict.fromkeys([*languages.offered(), *sorted(notice.locale for notice in purpose.notices.all())])
    present = {notice.locale for notice in newest}
    return newest[0].version, [code for code in wanted if code not in present]


def with_texts(purposes: QuerySet[Purpose]) -> QuerySet[Purpose]:
    """Read along what ``lacking``, ``untranslated`` and ``unnoticed`` look at."""
    return agreed.with_terms(purposes.prefetch_related("texts", "notices"))


def unnoticed(purpose: Purpose) -> list[str]:
    """Return what a purpose covers beyond its notice in force: nobody was asked about it, so it is off for all."""
    if not purpose.needs_consent:
        return []
    version, _missing = untranslated(purpose)
    named = agreed.frozen_of(purpose).get(version, agreed.Terms())
    more = agreed.beyond(agreed.Coverage.read(vars(purpose)), named)
    if more is None:
        return []
    new = {*more.data_categories, *more.recipients, *more.channels, *more.actions}
    return sorted(words(name) for name in new) or [_("a higher level")]


def _people(people: dict[str, selectors.People]) -> Figure | None:
    rows = [(label, people[state].count) for state, label in consent_words.STATES.items() if state in people]
    if not rows:
        return None
    return bars_figure(
        rows,
        title=_("People by state"),
        description=_("How many people are in which state for this purpose now; who was never asked is not counted."),
        headings=(_("State"), _("People")),
    )


def blocks(
    purpose: Purpose, register: Register, *, people: dict[str, selectors.People] | None = None
) -> Iterator[dict[str, str]]:
    """Return what keeps the purpose from being complete, each with where to correct it."""
    if not purpose.notices.all():
        yield _block(_("No notice"), _("People are asked without being informed."), notice_url(purpose))
    if purpose.controller is None and register.controller is None:
        yield _block(
            _("No controller"), _("No controller is named as responsible."), reverse("admin:consent_party_add")
        )
    yield from _sensitive_blocks(purpose, register.sensitive & set(purpose.data_categories), people)


def _sensitive_blocks(
    purpose: Purpose, found: frozenset[str], people: dict[str, selectors.People] | None
) -> Iterator[dict[str, str]]:
    if not found:
        return
    names = ", ".join(sorted(words(name) for name in found))
    page = reverse("admin:consent_purpose_change", args=[purpose.pk])
    if not purpose.needs_consent:
        detail = _("%(names)s needs explicit consent of its own, and this purpose does not ask for consent.")
        yield _block(_("Sensitive data without consent"), detail % {"names": names.capitalize()}, page)
        return
    given = (people or {}).get("given", selectors.People(0, 0))
    if silent := given.count - given.explicit:
        detail = _(
            "%(count)d of %(all)d consents are not explicit. %(names)s is left out for these people: ask explicitly."
        )
        values = {"count": silent, "all": given.count, "names": names.capitalize()}
        yield _block(_("Sensitive data, but consent is not asked explicitly"), detail % values, page)


def _block(title: str, detail: str, url: str) -> dict[str, str]:
    return {"title": title, "detail": detail, "url": url}


def notice_url(purpose: Purpose, *, locale: str | None = None, version: int | None = None) -> str:
    """Return the address of the notice editor for this purpose."""
    translated = f"&version={version}" if version else ""
    return f"{reverse('notice-editor')}?purpose={purpose.pk}&locale={locale or languages.offered()[0]}{translated}"
