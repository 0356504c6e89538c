"""Letters about a person's requests, and what recognises the address of who asked.

The requests stay as proof with who asked for whom. What letters said, and what recognises an address, goes: of closed
requests only, as the erasure at work is answered by letter too.
"""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.translation import gettext_noop as _

from privacy.rights.models import Letter, Requester, RightsRequest
from privacy.rights.stores.seam import Description, Erasure, Fate, Removed, Row
from privacy.rights.stores.tables import TableStore, digest_of_keys, members

_SAYING = Q(sealed__isnull=False) | Q(address__isnull=False)
_RECOGNISING = Q(address__isnull=False) | Q(address_tag__isnull=False) | Q(code_hash__isnull=False)


class LetterStore(TableStore):
    """Store of letters. An erasure blanks them, and the requesters of the same requests."""

    def export(self, ref: UUID) -> Iterable[Row]:
        from privacy.rights.letters import letters

        names = [member.name for member in self.description.members if member.name != "text"]
        for letter in self.query(ref):
            yield {**{name: getattr(letter, name) for name in names}, "text": letters.text_of(letter)}

    def left(self, ref: UUID) -> QuerySet[Any]:
        closed = RightsRequest.objects.filter(subject_ref=ref, closed_at__isnull=False)
        saying = Letter.objects.filter(_SAYING, request=OuterRef("pk"))
        recognising = Requester.objects.filter(_RECOGNISING, request=OuterRef("pk"))
        return closed.filter(Exists(saying) | Exists(recognising))

    def anonymise(self, ref: UUID, erasure: Erasure) -> Removed:
        closed = {"request__in": list(self.left(ref).order_by("pk").values_list("pk", flat=True))}
        found = list(Letter.objects.filter(_SAYING, **closed).order_by("pk").values_list("pk", flat=True))
        Letter.objects.filter(pk__in=found).update(sealed=None, address=None)
        Requester.objects.filter(**closed).update(address=None, address_salt=None, address_tag=None, code_hash=None)
        return Removed(len(found), digest_of_keys(found))


LETTERS = LetterStore(
    Description(
        name="letters",
        title=_("Letters about your requests"),
        members=members(
            ("request_id", "string", _("request")),
            ("kind", "string", _("kind")),
            ("locale", "string", _("language")),
            ("made_at", "date-time", _("when")),
            ("sent_at", "date-time", _("sent")),
            ("text", "string", _("text")),
        ),
        origin=_("made while we worked on your requests"),
        kept=_("as proof of how they were answered; the text for 30 days after the end of the request"),
        is_provided=False,
        tables=("rights_letter", "rights_requester"),
        fate=Fate.ANONYMISED,
    ),
    lambda ref: Letter.objects.filter(request__subject_ref=ref).order_by("id"),
)
