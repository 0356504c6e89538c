"""Next version of a notice, prepared for a change set that widens its purpose."""

from collections.abc import Iterator, Sequence

from consent.models import Notice
from consent.register import novelties, terms
from consent.register.lint_rules import ASKS_EVERYBODY, SAYS_LESS
from consent.register.novelties import Said
from oversight.admin.remedies import Remedy
from oversight.changes import preview
from oversight.changes.documents import Compared, Document, Proposed

_EXPLAINS = "It begins with the text in force and names what is new, in each of its languages. Read it, and edit it."
_BUTTON = "Draft the next notice version in this set"


def _widened(slug: str, changes: Sequence[Compared]) -> list[Proposed]:
    return list(_versions(slug, changes, is_material=False))


def _asking(slug: str, changes: Sequence[Compared]) -> list[Proposed]:
    return list(_versions(slug, changes, is_material=True))


REMEDIES = (
    Remedy(SAYS_LESS, _BUTTON, f"{_EXPLAINS} What was agreed stays permitted.", _widened),
    Remedy(ASKS_EVERYBODY, _BUTTON, f"{_EXPLAINS} Everybody is asked again.", _asking),
)


def _versions(slug: str, changes: Sequence[Compared], *, is_material: bool) -> Iterator[Proposed]:
    newest = terms.newest_version(slug)
    notices = list(Notice.objects.filter(purpose__slug=slug, version=newest).order_by("locale"))
    if not notices:
        return
    agreed, before = terms.of_version(slug, newest), Said.now(slug)
    after = preview.read_after(changes, lambda: Said.now(slug)) or before
    for notice in notices:
        new = novelties.sentences(agreed, before, after, notice.locale)
        document: Document = {
            "purpose": slug,
            "version": newest + 1,
            "locale": notice.locale,
            "text": "\n\n".join(filter(None, [notice.text, " ".join(new)])),
            "is_material": is_material,
        }
        yield Proposed("notice", f"{slug}/{newest + 1}/{notice.locale}", document)
