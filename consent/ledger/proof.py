"""Proof of a choice: what a record keeps with it to show that it was informed and freely given.

GDPR Article 7(1) puts the burden of proof on the controller; ISO/IEC TS 27560 names the fields. Every value is text, a
whole number, true or false, or a list or mapping of these, so that the record's digest is the same everywhere.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.conf import settings

from consent.pseudonyms import subject_ref


@dataclass(frozen=True, kw_only=True)
class Asked:
    """Presentation of the question. ``order`` names the buttons from first to last.

    ``locale`` is the language the text was shown in, empty where that was not said. ``falls_back`` for our own pages,
    which show the English text, or the first there is, where there is none in the language.
    """

    interface: str = ""
    locale: str = ""
    falls_back: bool = False
    layout_sha256: str = ""
    layout_unknown: bool = False  # the caller's word alone stands behind the digest
    order: tuple[str, ...] = ()
    signals: Mapping[str, Any] | None = None

    def described(self) -> dict[str, Any]:
        found = {
            "interface": self.interface,
            "layout_sha256": self.layout_sha256,
            "layout_unknown": self.layout_unknown,
            "order": list(self.order),
            "signals": dict(self.signals or {}),
        }
        return {name: value for name, value in found.items() if value}


@dataclass(frozen=True, kw_only=True)
class Guardian:
    """Guardian who agreed for a child: a pseudonym, how it was verified, and the last day the consent stands on it."""

    ref: str
    method: str
    adult_on: str

    @classmethod
    def known_as(cls, guardian_id: str, method: str, adult_on: date) -> "Guardian":
        """Return the guardian under a pseudonym; ``guardian_id``, the business's own, is not kept."""
        return cls(
            ref=str(subject_ref(guardian_id, subject_type="guardian")), method=method, adult_on=adult_on.isoformat()
        )


@dataclass(frozen=True)
class ServedNotice:
    """The notice that was shown: version, language and SHA-256.

    Language and SHA-256 are empty where it is not known which text was shown; version 0 where there is no notice.
    """

    version: int
    locale: str
    sha256: str


NO_NOTICE = ServedNotice(0, "", "")


def proof_of(
    *,
    notice: ServedNotice,
    asked: Asked | None,
    rule: Mapping[str, Any],
    guardian: Guardian | None,
    told_of_conflict: bool,
    imported: Mapping[str, Any] | None,
    max_level: str | None = None,
    register: str = "",
    terms: str = "",
) -> dict[str, Any]:
    """Assemble the proof of one record; what is not known is left out, never guessed."""
    found: dict[str, Any] = {
        "notice": {"locale": notice.locale, "sha256": notice.sha256} if notice.sha256 else None,
        "register": {"sha256": register, "processing_region": settings.PROCESSING_REGION} if register else None,
        "terms": {"sha256": terms} if terms else None,
        "asked": asked.described() if asked else None,
        "jurisdiction": dict(rule),
        "guardian": (
            {"ref": guardian.ref, "method": guardian.method, "adult_on": guardian.adult_on} if guardian else None
        ),
        "told_of_signal_conflict": told_of_conflict,
        "max_level": max_level,
        "imported": dict(imported) if imported else None,
    }
    return {name: value for name, value in found.items() if value}
