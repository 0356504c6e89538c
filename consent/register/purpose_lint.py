"""Lint of purposes: what a set of changes may not leave behind."""

from collections.abc import Iterator

from django.db.models import Max

from common.register_lint import Finding
from consent.models import Notice, Party, Purpose
from consent.register import terms


def check() -> Iterator[Finding]:
    """Return what is wrong with purposes as they are in this transaction."""
    purposes = list(terms.with_terms(Purpose.objects.select_related("parent")))
    parties = set(Party.objects.values_list("slug", flat=True))
    newest = dict(Notice.objects.order_by("purpose").values_list("purpose").annotate(Max("version")))
    for purpose in purposes:
        yield from _recipients(purpose, parties)
        yield from _emptiness(purpose)
        yield from _notice(purpose, newest.get(purpose.pk, 0))
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


def _notice(purpose: Purpose, version: int) -> Iterator[Finding]:
    if not (purpose.is_active and purpose.needs_consent):
        return
    if not version:
        detail = f"“{purpose.name}” asks people without a notice. Write its first notice in the same change set."
        yield _finding("notice_missing", purpose, detail)
    elif terms.beyond(terms.Coverage.read(vars(purpose)), terms.frozen_of(purpose).get(version, terms.Terms())):
        detail = (
            f"“{purpose.name}” covers more than version {version} of its notice says. What is new stays off for"
            " everybody: publish the next version in the same change set."
        )
        yield _finding("notice_says_less", purpose, detail, is_error=False)


def _rings(purposes: list[Purpose]) -> Iterator[Finding]:
    above = {purpose.pk: purpose.parent_id for purpose in purposes}
    for purpose in purposes:
        seen, at = {purpose.pk}, purpose.parent_id
        while at is not None and at not in seen:
            seen.add(at)
            at = above.get(at)
        if at == purpose.pk:
            yield _finding("broader_than_itself", purpose, f"“{purpose.name}” is broader than itself.")
