"""Lint of the register of processing as it stands in the database."""

from collections.abc import Iterator

from common import languages
from common.registers.lint import Finding
from consent.models import DataCategory, Party, Purpose, PurposeData, Site
from consent.register import lint_rules

_OWN = "en"


def check() -> Iterator[Finding]:
    """Find what is wrong with active purposes and sites, in a fixed number of statements."""
    kinds = set(DataCategory.objects.values_list("slug", flat=True))
    parties = dict(Party.objects.values_list("slug", "role"))
    reasons: dict[int, set[tuple[str, str]]] = {}
    for purpose_id, kind, locale in PurposeData.objects.values_list("purpose", "category__slug", "locale"):
        reasons.setdefault(purpose_id, set()).add((kind, locale))
    has_controller = Party.Role.CONTROLLER in parties.values()
    for purpose in Purpose.objects.filter(is_active=True).prefetch_related("notices"):
        slug, found = purpose.slug, reasons.get(purpose.pk, set())
        yield from lint_rules.unknown_data(slug, purpose.data_categories, kinds)
        yield from lint_rules.unknown_recipients(slug, purpose.recipients, parties)
        yield from lint_rules.unexplained_data(
            slug, purpose.data_categories, {kind for kind, locale in found if locale == _OWN}
        )
        yield from lint_rules.untranslated_reasons(slug, found, languages.offered())
        yield from lint_rules.unannounced(slug, has_notice=bool(purpose.notices.all()))
        yield from lint_rules.uncontrolled(slug, has_controller=has_controller or purpose.controller_id is not None)
    yield from _sites()


def _sites() -> Iterator[Finding]:
    for slug, purpose in Site.objects.filter(purposes__is_active=False).values_list("slug", "purposes__slug"):
        detail = f"Its banner asks about “{purpose}”, which is not active. Take it out of the site, or activate it."
        yield Finding("site", slug, "site_purpose_inactive", detail)
