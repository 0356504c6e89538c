"""The vault of this installation: tokens and keys of people in the database, sealed under its secret and the person.

A row belongs to the person whom the table names, so an erasure removes it (``stores``). Who asks for the same
person and value again gets the same token.
"""

import hashlib
import secrets
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from cryptography.fernet import InvalidToken
from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils import timezone

from audit import trail
from audit.looks import TOKEN_REVEALED
from consent import pseudonyms
from consent.models import DataSubject
from privacy.anonymisation.actions.forms import like
from privacy.anonymisation.actions.sealed import SEALED, unseal
from privacy.anonymisation.actions.vault import KEY_BYTES, PersonKey
from privacy.models import PersonKey as KeyRow
from privacy.models import VaultToken
from privacy.releases.problems import NoSuchToken
from privacy.rights.answers import sealing

REVEAL = "privacy.reveal_vaulttoken"
_AT_ONCE = 5_000
_FOR_APPROVAL = timedelta(days=365)
_TRIES = 20


class InstallationVault:
    """The vault for one release: what it uses is kept for its ``days`` at least, and some more for its approval."""

    def __init__(self, days: int) -> None:
        self._until = timezone.now() + timedelta(days=days) + _FOR_APPROVAL
        # Of people who were erased: what stands for them in this release is noted nowhere.
        self._tokens_of_erased: dict[bytes, str] = {}
        self._keys_of_erased: dict[UUID, PersonKey] = {}

    def tokens(self, column: str, pairs: Sequence[tuple[str, str]]) -> list[str]:
        """Return the token of each pair of a person and a value; a few statements for each 5,000."""
        refs = {person: pseudonyms.subject_ref(person) for person, _ in pairs}
        wanted = {_lookup(refs[person], value): (refs[person], value) for person, value in pairs}
        gone = _erased(refs.values())
        for lookup in [each for each, (ref, _) in wanted.items() if ref in gone]:
            self._tokens_of_erased.setdefault(lookup, like(wanted.pop(lookup)[1]))
        known, keys = dict(self._tokens_of_erased), list(wanted)
        for first in range(0, len(keys), _AT_ONCE):
            part = {lookup: wanted[lookup] for lookup in keys[first : first + _AT_ONCE]}
            known |= self._made(part)
        return [known[_lookup(refs[person], value)] for person, value in pairs]

    def keys(self, people: Sequence[str]) -> list[PersonKey]:
        """Return the key of each person, made where there is none."""
        refs = [pseudonyms.subject_ref(person) for person in people]
        gone = _erased(refs)
        for ref in gone:
            self._keys_of_erased.setdefault(ref, PersonKey(secrets.token_hex(16), secrets.token_bytes(KEY_BYTES)))
        found = dict(self._keys_of_erased)
        for first in range(0, len(refs), _AT_ONCE):
            part = set(refs[first : first + _AT_ONCE]) - gone
            absent = part - set(KeyRow.objects.filter(subject_ref__in=part).values_list("subject_ref", flat=True))
            KeyRow.objects.bulk_create([_key(ref, self._until) for ref in absent], ignore_conflicts=True)
            KeyRow.objects.filter(subject_ref__in=part, keep_until__lt=self._until).update(keep_until=self._until)
            for row in KeyRow.objects.filter(subject_ref__in=part):
                found[row.subject_ref] = PersonKey(row.name, sealing.unseal(bytes(row.sealed), row.subject_ref))
        return [found[ref] for ref in refs]

    def _made(self, wanted: dict[bytes, tuple[UUID, str]]) -> dict[bytes, str]:
        """Return the tokens of some lookups; those that are new are made, another where a token is taken."""
        VaultToken.objects.filter(lookup__in=wanted, keep_until__lt=self._until).update(keep_until=self._until)
        for _ in range(_TRIES):
            rows = VaultToken.objects.filter(lookup__in=wanted).values_list("lookup", "token")
            known = {bytes(lookup): token for lookup, token in rows}
            new = [_token(lookup, *wanted[lookup], self._until) for lookup in wanted.keys() - known.keys()]
            if not new:
                return known
            VaultToken.objects.bulk_create(new, ignore_conflicts=True)
        raise IntegrityError("No free token was found: the form of the values has too few.")


def _erased(refs: Iterable[UUID]) -> set[UUID]:
    """Return those of some people who were erased and have not come back since."""
    erased = DataSubject.objects.filter(erased_revision=F("revision"))
    every = list(refs)
    parts = (every[first : first + _AT_ONCE] for first in range(0, len(every), _AT_ONCE))
    return {ref for part in parts for ref in erased.filter(ref__in=part).values_list("ref", flat=True)}


def _key(ref: UUID, until: datetime) -> KeyRow:
    sealed = sealing.seal(secrets.token_bytes(KEY_BYTES), ref)
    return KeyRow(subject_ref=ref, name=secrets.token_hex(16), sealed=sealed, keep_until=until)


def _token(lookup: bytes, ref: UUID, value: str, until: datetime) -> VaultToken:
    sealed = sealing.seal(value.encode(), ref)
    return VaultToken(subject_ref=ref, lookup=lookup, token=like(value), sealed=sealed, keep_until=until)


def forget_old(now: datetime | None = None) -> int:
    """Remove tokens and keys whose time is over; return how many."""
    over = {"keep_until__lte": now or timezone.now()}
    return int(VaultToken.objects.filter(**over).delete()[0] + KeyRow.objects.filter(**over).delete()[0])


def _lookup(ref: UUID, value: str) -> bytes:
    message = ref.bytes + value.encode()
    return hashlib.blake2b(message, digest_size=16, key=settings.SUBJECT_KEY[:64], person=b"assent token 1").digest()


@transaction.atomic
def reveal(text: str, *, actor: str, reason: str, groups: Sequence[str]) -> str:
    """Return the value that a token, or an encrypted value, of a released table stands for.

    The look stands in the trail of its person, with the reason and without the value. Raises NoSuchToken, also where
    the person was erased.
    """
    if not reason.strip():
        raise NoSuchToken("Say why it is opened: its person can read it.")
    try:
        ref, value = _of_token(text) or _of_sealed(text) or (None, "")
    except InvalidToken:
        raise NoSuchToken("No secret of this process opens it: a former one is missing.") from None
    if ref is None:
        raise NoSuchToken("The vault has nothing under it. Its person may have been erased.")
    details = {"reason": reason[:500], "groups": list(groups)}
    trail.record(TOKEN_REVEALED, str(ref), actor=actor, details=details)
    return value


def _of_token(text: str) -> tuple[UUID, str] | None:
    row = VaultToken.objects.filter(token=text).first()
    return None if row is None else (row.subject_ref, sealing.unseal(bytes(row.sealed), row.subject_ref).decode())


def _of_sealed(text: str) -> tuple[UUID, str] | None:
    found = SEALED.fullmatch(text)
    row = KeyRow.objects.filter(name=found["name"]).first() if found else None
    if row is None:
        return None
    key = PersonKey(row.name, sealing.unseal(bytes(row.sealed), row.subject_ref))
    value = unseal(text, key)
    return None if value is None else (row.subject_ref, value)
