"""The projection of the ledger: the current choices of a person as one row holds them (``DataSubject.consents``).

Its keys are short because every decision reads them, and typed here only.
"""

from collections.abc import Mapping
from typing import NotRequired, TypedDict


class ConsentEntry(TypedDict):
    """A person's current answer to a purpose, or to a part of it (``consent.ledger.scopes``)."""

    s: str  # state
    n: int  # version of the notice
    x: int | None  # expiry, epoch seconds
    e: bool  # explicit
    r: str  # identifier of the consent record
    t: NotRequired[int]  # since, epoch seconds
    src: str  # source
    told: NotRequired[bool]  # the person knew of the conflict with an opt-out signal, and agreed all the same
    lv: NotRequired[str]  # the highest level the person allows
    d: NotRequired[int]  # version of the notice whose additions the person has declined; what was agreed stays


Consents = Mapping[str, ConsentEntry]  # by place: ``newsletter``, ``newsletter?channel=email``
