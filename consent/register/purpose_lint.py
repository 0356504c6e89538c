"""Lint of purposes: what a set of changes may not leave behind."""

from collections.abc import Iterator, Sequence

from django.db.models import OuterRef, Subquery

from common.register_lint import Finding
from consent.models import Notice, Party, Purpose
from consent.register import terms

# What is new can be asked about alone; another controller or a longer retention asks everybody about everything.
SAYS_LESS, ASKS_EVERYBODY = "notice_says_less", "notice_asks_everybody"


def check() -> Iterator[Finding]:
    """Return what is wrong with purposes as they are in this transaction."""
    newest = Notice.objects.filter(purpose=OuterRef("pk")).order_by("-version").values("version")[:1]
    purposes = list(terms.with_terms(Purpose.objects.select_related("parent")).annotate(newest=Subquery(newest)))
    parties = set(Party.objects.values_list("slug", flat=True))
    said = terms.of_registers()
    for purpose in purposes:
        yield from _recipients(purpose, parties)
        yield from _emptiness(purpose)
        yield from _notice(purpose, vars(purpose)["newest"] or 0, said[purpose.slug])
    yield from _rings(purposes)


def _finding(code: str, purpose: Purpose, detail: str, *, is_error: bool = True) -> Finding:
    return Finding("purpose", purpose.slug, code, detail, is_error)


def _recipients(purpose: Purpose, parties: set[str]) -> Iterator[Finding]:
    for slug in sorted(set(purpose.recipients) - parties):
        detail = f"“{purpose.name}” names the recipient “{slug}”, and no party is called so. Add the party first."
        yield _finding("recipient_unknown", purpose, detail)


def _emptiness(purpose: Purpose) -> Iterator[Finding]:
    if purpose.is_active and not (purpose.actions and purpose.data_categories):
        detail = f"“{purpose.name}” permits no action, or no data. It can permit nothing."
        yield _finding("permits_nothing", purpose, detail, is_error=False)


def _notice(purpose: Purpose, version: int, said: terms.Terms) -> Iterator[Finding]:
    if not (purpose.is_active and purpose.needs_consent):
        return
    if not version:
        detail = f"“{purpose.name}” asks people without a notice. Write its first notice in the same change set."
        yield _finding("notice_missing", purpose, detail)
        return
    found = terms.material(terms.frozen_of(purpose).get(version, terms.Terms()), said)
    if found:
        detail = (
            f"“{purpose.name}” says more than version {version} of its notice:"
            f" {' '.join(each.detail for each in found)} Draft the next version in the same change set."
        )
        is_separable = all(each.is_separable for each in found)
        yield _finding(SAYS_LESS if is_separable else ASKS_EVERYBODY, purpose, detail)


def _rings(purposes: Sequence[Purpose]) -> Iterator[Finding]:
    above = {purpose.pk: purpose.parent_id for purpose in purposes}
    for purpose in purposes:
        seen, at = {purpose.pk}, purpose.parent_id
        while at is not None and at not in seen:
            seen.add(at)
            at = above.get(at)
        if at == purpose.pk:
            yield _finding("broader_than_itself", purpose, f"“{purpose.name}” is broader than itself.")
