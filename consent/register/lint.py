"""Lint of the registers of processing: what a set of changes may not leave behind."""

from collections.abc import Iterator

from consent.models import Notice, Party, Purpose
from oversight.changes.checking import ERROR, WARNING, Finding


def lint() -> Iterator[Finding]:
    """Return what is wrong with purposes as they are in this transaction."""
    purposes = list(Purpose.objects.select_related("parent"))
    parties = set(Party.objects.values_list("slug", flat=True))
    noticed = set(Notice.objects.values_list("purpose_id", flat=True))
    for purpose in purposes:
        yield from _recipients(purpose, parties)
        yield from _emptiness(purpose)
        yield from _notice(purpose, purpose.pk in noticed)
    yield from _rings(purposes)


def _finding(level: str, code: str, purpose: Purpose, detail: str) -> Finding:
    return Finding(level, code, "purpose", purpose.slug, detail)


def _recipients(purpose: Purpose, parties: set[str]) -> Iterator[Finding]:
    for slug in sorted(set(purpose.recipients) - parties):
        detail = f"“{purpose.name}” names the recipient “{slug}”, and no party is called so. Add the party first."
        yield _finding(ERROR, f"unknown_recipient:{slug}", purpose, detail)


def _emptiness(purpose: Purpose) -> Iterator[Finding]:
    if purpose.is_active and not (purpose.actions and purpose.data_categories):
        detail = f"“{purpose.name}” permits no action, or no data. It can permit nothing."
        yield _finding(WARNING, "permits_nothing", purpose, detail)


def _notice(purpose: Purpose, has_notice: bool) -> Iterator[Finding]:
    if purpose.is_active and purpose.needs_consent and not has_notice:
        detail = f"“{purpose.name}” asks people without a notice. Write its first notice in the same change set."
        yield _finding(ERROR, "no_notice", purpose, detail)


def _rings(purposes: list[Purpose]) -> Iterator[Finding]:
    above = {purpose.pk: purpose.parent_id for purpose in purposes}
    for purpose in purposes:
        seen, at = {purpose.pk}, purpose.parent_id
        while at is not None and at not in seen:
            seen.add(at)
            at = above.get(at)
        if at == purpose.pk:
            yield _finding(ERROR, "ring", purpose, f"“{purpose.name}” is broader than itself. Choose another one.")
