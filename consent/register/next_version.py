"""Next version of a notice, prepared for a change set that widens its purpose."""

from collections.abc import Iterator, Sequence

from django.utils import translation
from django.utils.translation import gettext as _

from consent.models import Notice
from consent.register import terms, words
from consent.register.lint_rules import ASKS_EVERYBODY, SAYS_LESS
from oversight.admin.remedies import Remedy
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
    after = next((c.after for c in changes if (c.register, c.key) == ("purpose", slug)), None)
    for notice in Notice.objects.filter(purpose__slug=slug, version=newest).order_by("locale"):
        document: Document = {
            "purpose": slug,
            "version": newest + 1,
            "locale": notice.locale,
            "text": "\n\n".join(filter(None, [notice.text, _new(slug, newest, after, notice.locale)])),
            "is_material": is_material,
        }
        yield Proposed("notice", f"{slug}/{newest + 1}/{notice.locale}", document)


def _new(slug: str, version: int, after: Document | None, locale: str) -> str:
    """Return the sentence about what people are to be asked about, in their language."""
    more = terms.beyond(terms.Coverage.read(after), terms.of_version(slug, version)) if after else None
    if more is None:
        return ""
    with translation.override(locale):
        codes = [*sorted(more.data_categories), *sorted(more.recipients), *sorted(more.channels)]
        names = [*map(words.plain_action, sorted(more.actions)), *map(words.plain, codes)]
        return _("New in this version: %(what)s.") % {"what": ", ".join(names)} if names else ""
