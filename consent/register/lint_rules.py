"""Rules of the register of processing as pure functions over plain values; forms, files and the lint use the same."""

from collections.abc import Collection, Iterable, Iterator, Mapping

from common.registers import nearest
from common.registers.lint import Finding

# What is new can be asked about alone; another controller or a longer retention asks everybody about everything.
SAYS_LESS, ASKS_EVERYBODY = "notice_says_less", "notice_asks_everybody"


def unknown_data(purpose: str, kinds: Iterable[str], known: Collection[str]) -> Iterator[Finding]:
    """Find data categories that are not in their register."""
    for kind in kinds:
        if kind not in known:
            detail = f"“{kind}” is no data category. {nearest.hint(kind, known)}"
            yield Finding("purpose", purpose, "data_category_unknown", detail, subject=kind)


def unknown_recipients(purpose: str, recipients: Iterable[str], known: Collection[str]) -> Iterator[Finding]:
    """Find recipients that are no party."""
    for recipient in recipients:
        if recipient not in known:
            detail = f"“{recipient}” is not among the parties. {nearest.hint(recipient, known)}"
            yield Finding("purpose", purpose, "recipient_unknown", detail, subject=recipient)


def unexplained_data(purpose: str, kinds: Iterable[str], explained: Collection[str]) -> Iterator[Finding]:
    """Find data categories without a reason in the register's own language, and reasons of categories not used."""
    wanted = list(kinds)
    for kind in wanted:
        if kind not in explained:
            detail = f"No reason is given why “{kind}” is needed. Add one under “Why each kind of data is needed”."
            yield Finding("purpose", purpose, "data_reason_missing", detail, subject=kind)
    for kind in sorted(set(explained) - set(wanted)):
        detail = (
            f"A reason is given for “{kind}”, which the purpose does not use. Remove the reason, or add the category."
        )
        yield Finding("purpose", purpose, "data_reason_unused", detail, is_error=False, subject=kind)


def untranslated_reasons(purpose: str, found: Collection[tuple[str, str]], locales: Iterable[str]) -> Iterator[Finding]:
    """Find reasons that lack a language; ``found`` holds pairs of category and language."""
    kinds = sorted({kind for kind, _ in found})
    for kind in kinds:
        if lacking := [code for code in locales if (kind, code) not in found]:
            detail = f"The reason for “{kind}” is missing in: {', '.join(lacking)}. People read it in English there."
            yield Finding("purpose", purpose, "data_reason_untranslated", detail, is_error=False, subject=kind)


def unannounced(purpose: str, *, has_notice: bool, needs_consent: bool) -> Iterator[Finding]:
    """Find an active purpose without a notice. Where nobody is asked, information can stand elsewhere: a warning."""
    if not has_notice:
        detail = "It is active and has no notice: people are not informed. Write its first one in the same change set."
        yield Finding("purpose", purpose, "notice_missing", detail, is_error=needs_consent)


def understated(purpose: str, version: int, beyond: Collection[str], *, is_separable: bool) -> Iterator[Finding]:
    """Find a purpose that says more than a version of its notice; ``beyond`` says what, a sentence each."""
    if beyond:
        said = " ".join(beyond)
        detail = f"It says more than version {version} of its notice: {said} Draft the next version in the same set."
        code = SAYS_LESS if is_separable else ASKS_EVERYBODY
        yield Finding("purpose", purpose, code, detail, subject=said)


def empty(purpose: str, actions: Collection[str], kinds: Collection[str]) -> Iterator[Finding]:
    """Find an active purpose that permits no action, or no data."""
    if not (actions and kinds):
        detail = "It permits no action, or no data: it can permit nothing. Add both, or make it inactive."
        yield Finding("purpose", purpose, "permits_nothing", detail, is_error=False)


def rings(broader: Mapping[str, str | None]) -> Iterator[Finding]:
    """Find purposes that are broader than themselves; ``broader`` names the broader one of each."""
    for purpose, above in broader.items():
        seen, at = {purpose}, above
        while at is not None and at not in seen:
            seen.add(at)
            at = broader.get(at)
        if at == purpose:
            detail = "It is broader than itself. Choose another broader activity for it, or none."
            yield Finding("purpose", purpose, "broader_than_itself", detail)


def uncontrolled(purpose: str, *, has_controller: bool) -> Iterator[Finding]:
    """Find a purpose for which no controller is named, neither by itself nor by the register."""
    if not has_controller:
        detail = "No controller is named. Register a party with this role, or choose one for the purpose."
        yield Finding("purpose", purpose, "controller_missing", detail)
