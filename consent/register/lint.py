"""Lint of the register of processing as it stands in the database."""

from collections.abc import Collection, Iterator

from common import languages
from common.registers.lint import Finding
from consent.models import DataCategory, Party, Purpose, PurposeData, Site
from consent.register import lint_rules, terms

_OWN = "en"


def check() -> Iterator[Finding]:
    """Find what is wrong with purposes and sites, in a fixed number of statements."""
    purposes = list(terms.with_terms(Purpose.objects.select_related("parent").prefetch_related("notices")))
    yield from _names(purposes)
    yield from lint_rules.rings({each.slug: each.parent.slug if each.parent else None for each in purposes})
    active = [purpose for purpose in purposes if purpose.is_active]
    yield from _reasons(active)
    said = terms.of_registers()
    for purpose in active:
        yield from lint_rules.empty(purpose.slug, purpose.actions, purpose.data_categories)
        yield from _notice(purpose, said[purpose.slug])
    yield from _controllers(active)
    yield from _sites()


def _names(purposes: Collection[Purpose]) -> Iterator[Finding]:
    kinds = set(DataCategory.objects.values_list("slug", flat=True))
    parties = set(Party.objects.values_list("slug", flat=True))
    for purpose in purposes:
        yield from lint_rules.unknown_data(purpose.slug, purpose.data_categories, kinds)
        yield from lint_rules.unknown_recipients(purpose.slug, purpose.recipients, parties)


def _reasons(purposes: Collection[Purpose]) -> Iterator[Finding]:
    reasons: dict[int, set[tuple[str, str]]] = {}
    for purpose_id, kind, locale in PurposeData.objects.values_list("purpose", "category__slug", "locale"):
        reasons.setdefault(purpose_id, set()).add((kind, locale))
    for purpose in purposes:
        slug, found = purpose.slug, reasons.get(purpose.pk, set())
        explained = {kind for kind, locale in found if locale == _OWN}
        yield from lint_rules.unexplained_data(slug, purpose.data_categories, explained)
        yield from lint_rules.untranslated_reasons(slug, found, languages.offered())


def _notice(purpose: Purpose, said: terms.Terms) -> Iterator[Finding]:
    version = max((notice.version for notice in purpose.notices.all()), default=0)
    yield from lint_rules.unannounced(purpose.slug, has_notice=version > 0, needs_consent=purpose.needs_consent)
    if version and purpose.needs_consent:
        found = terms.material(terms.frozen_of(purpose).get(version, terms.Terms()), said)
        beyond, is_separable = [each.detail for each in found], all(each.is_separable for each in found)
        yield from lint_rules.understated(purpose.slug, version, beyond, is_separable=is_separable)


def _controllers(purposes: Collection[Purpose]) -> Iterator[Finding]:
    registered = Party.objects.filter(role=Party.Role.CONTROLLER).exists()
    for purpose in purposes:
        yield from lint_rules.uncontrolled(purpose.slug, has_controller=registered or purpose.controller_id is not None)


def _sites() -> Iterator[Finding]:
    for slug, purpose in Site.objects.filter(purposes__is_active=False).values_list("slug", "purposes__slug"):
        detail = f"Its banner asks about “{purpose}”, which is not active. Take it out of the site, or activate it."
        yield Finding("site", slug, "site_purpose_inactive", detail, is_error=False, subject=purpose)
