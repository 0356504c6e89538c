"""Rules of the register of processing as pure functions over plain values; forms, files and the lint use the same."""

from collections.abc import Collection, Iterable, Iterator

from common.registers import nearest
from common.registers.lint import Finding


def unknown_data(purpose: str, kinds: Iterable[str], known: Collection[str]) -> Iterator[Finding]:
    """Find data categories that are not in their register."""
    for kind in kinds:
        if kind not in known:
            detail = f"“{kind}” is no data category. {nearest.hint(kind, known)}"
            yield Finding("purpose", purpose, "data_category_unknown", detail)


def unknown_recipients(purpose: str, recipients: Iterable[str], known: Collection[str]) -> Iterator[Finding]:
    """Find recipients that are no party."""
    for recipient in recipients:
        if recipient not in known:
            detail = f"“{recipient}” is not among the parties. {nearest.hint(recipient, known)}"
            yield Finding("purpose", purpose, "recipient_unknown", detail)


def unexplained_data(purpose: str, kinds: Iterable[str], explained: Collection[str]) -> Iterator[Finding]:
    """Find data categories without a reason in the register's own language, and reasons of categories not used."""
    wanted = list(kinds)
    for kind in wanted:
        if kind not in explained:
            detail = f"No reason is given why “{kind}” is needed. Add one under “Why each kind of data is needed”."
            yield Finding("purpose", purpose, "data_reason_missing", detail)
    for kind in sorted(set(explained) - set(wanted)):
        detail = (
            f"A reason is given for “{kind}”, which the purpose does not use. Remove the reason, or add the category."
        )
        yield Finding("purpose", purpose, "data_reason_unused", detail, is_error=False)


def untranslated_reasons(purpose: str, found: Collection[tuple[str, str]], locales: Iterable[str]) -> Iterator[Finding]:
    """Find reasons that lack a language; ``found`` holds pairs of category and language."""
    kinds = sorted({kind for kind, _ in found})
    for kind in kinds:
        if lacking := [code for code in locales if (kind, code) not in found]:
            detail = f"The reason for “{kind}” is missing in: {', '.join(lacking)}. People read it in English there."
            yield Finding("purpose", purpose, "data_reason_untranslated", detail, is_error=False)


def unannounced(purpose: str, *, has_notice: bool) -> Iterator[Finding]:
    """Find an active purpose without a notice."""
    if not has_notice:
        detail = "It is active and has no notice: people are asked without information. Publish one under Notices."
        yield Finding("purpose", purpose, "notice_missing", detail)


def uncontrolled(purpose: str, *, has_controller: bool) -> Iterator[Finding]:
    """Find a purpose for which no controller is named, neither by itself nor by the register."""
    if not has_controller:
        detail = "No controller is named. Register a party with this role, or choose one for the purpose."
        yield Finding("purpose", purpose, "controller_missing", detail)
