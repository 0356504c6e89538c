"""Transparency and consent strings of the IAB Europe TCF, version 2.2 and 2.3.

Only the core and the segments disclosedVendors and publisherTC carry meaning; allowedVendors is read for
old strings and left aside. What the framework forbids is refused as firmly as what cannot be decoded.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime

from consent.signals.bits import Bits, Range, covers, require_bounded, spread
from consent.signals.problems import InvalidSignal

OLDEST_POLICY = 4
# A string created from here on must say which vendors were shown (TCF 2.3). The day of creation decides: policy 5 was
# written before it without them, and a banner that was never updated still writes policy 4 after it.
DISCLOSING_SINCE = datetime(2026, 3, 1, tzinfo=UTC)
# From this policy on the segment allowedVendors does not exist.
_POLICY_WITHOUT_ALLOWED = 5
CONSENT_ONLY_PURPOSES = frozenset({1, 3, 4, 5, 6})

_VERSION = 2
_PURPOSES = 24
_SPECIAL_FEATURES = 12
_FORBIDDEN, _CONSENT_REQUIRED, _INTEREST_REQUIRED = 0, 1, 2
_DISCLOSED_VENDORS, _ALLOWED_VENDORS, _PUBLISHER = 1, 2, 3


@dataclass(frozen=True, slots=True)
class Restriction:
    """Restriction by the publisher of some vendors for one purpose."""

    purpose: int
    kind: int
    """0 forbids the purpose, 1 requires consent, 2 requires legitimate interest."""
    vendors: tuple[Range, ...]


@dataclass(frozen=True, slots=True)
class PublisherChoices:
    """The publisherTC segment: what the person chose for the publisher itself."""

    consents: tuple[int, ...] = ()
    interests: tuple[int, ...] = ()
    custom_consents: tuple[int, ...] = ()
    custom_interests: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Core:
    """The core segment, field by field in the order of the string."""

    created: datetime
    updated: datetime
    cmp_id: int
    cmp_version: int
    screen: int
    language: str
    vendor_list_version: int
    policy_version: int
    is_service_specific: bool
    uses_non_standard_texts: bool
    special_features: tuple[int, ...]
    consents: tuple[int, ...]
    interests: tuple[int, ...]
    purpose_one_treatment: bool
    country: str
    vendor_consents: tuple[Range, ...]
    vendor_interests: tuple[Range, ...]
    restrictions: tuple[Restriction, ...]


@dataclass(frozen=True, slots=True)
class TcString:
    core: Core
    disclosed_vendors: tuple[Range, ...] | None = None
    """None when an old string does not say."""
    publisher: PublisherChoices = field(default_factory=PublisherChoices)

    def consents_to(self, *, vendor: int, purpose: int) -> bool:
        """Say whether this vendor may rely on consent for this purpose, publisher restrictions included."""
        core = self.core
        if purpose not in core.consents or not covers(core.vendor_consents, vendor):
            return False
        if self.disclosed_vendors is not None and not covers(self.disclosed_vendors, vendor):
            return False
        return not any(
            each.purpose == purpose and each.kind != _CONSENT_REQUIRED and covers(each.vendors, vendor)
            for each in core.restrictions
        )

    def fields(self) -> dict[str, object]:
        """Return what the string says under the short names of ``./assent decode-signal tcf``."""
        core = self.core
        return {
            "policy": core.policy_version,
            "lang": core.language,
            "cc": core.country,
            "cmp": core.cmp_id,
            "vlv": core.vendor_list_version,
            "pc": list(core.consents),
            "pl": list(core.interests),
            "sf": list(core.special_features),
            "vc": spread(core.vendor_consents),
            "vl": spread(core.vendor_interests),
            "vd": spread(self.disclosed_vendors or ()),
            "pubc": list(self.publisher.consents),
            "publ": list(self.publisher.interests),
        }


def decode(text: str) -> TcString:
    """Decode a TC string; raises InvalidSignal for one that may not be relied on."""
    require_bounded(text)
    first, *others = text.split(".")
    core = _core(Bits(first))
    segments = _segments(others)
    if core.created >= DISCLOSING_SINCE and _DISCLOSED_VENDORS not in segments:
        raise InvalidSignal("vendors_not_disclosed", "The string does not say which vendors were disclosed.")
    if core.policy_version >= _POLICY_WITHOUT_ALLOWED and _ALLOWED_VENDORS in segments:
        raise InvalidSignal("outdated_segment", "The string holds a segment its policy no longer knows.")
    disclosed = _vendors(segments[_DISCLOSED_VENDORS]) if _DISCLOSED_VENDORS in segments else None
    _vendors(segments.get(_ALLOWED_VENDORS))
    return TcString(core, disclosed, _publisher(segments.get(_PUBLISHER)))


def _core(bits: Bits) -> Core:
    if bits.integer(6) != _VERSION:
        raise InvalidSignal("unknown_version", "The string is not of TCF version 2.")
    core = Core(
        created=bits.time(),
        updated=bits.time(),
        cmp_id=bits.integer(12),
        cmp_version=bits.integer(12),
        screen=bits.integer(6),
        language=bits.letters(),
        vendor_list_version=bits.integer(12),
        policy_version=bits.integer(6),
        is_service_specific=bits.flag(),
        uses_non_standard_texts=bits.flag(),
        special_features=bits.chosen(_SPECIAL_FEATURES),
        consents=bits.chosen(_PURPOSES),
        interests=bits.chosen(_PURPOSES),
        purpose_one_treatment=bits.flag(),
        country=bits.letters(),
        vendor_consents=bits.vendors(),
        vendor_interests=bits.vendors(),
        restrictions=_restrictions(bits),
    )
    bits.require_end()
    _require_reliable(core)
    return core


def _require_reliable(core: Core) -> None:
    """Raise InvalidSignal for a string that decodes but that the framework declares invalid."""
    if core.policy_version < OLDEST_POLICY:
        raise InvalidSignal("stale_policy", "The string follows a TCF policy that is no longer valid.")
    if not core.is_service_specific:
        raise InvalidSignal("not_service_specific", "The string claims to hold for more than one service.")
    if CONSENT_ONLY_PURPOSES.intersection(core.interests):
        raise InvalidSignal("interest_not_allowed", "The string claims legitimate interest where only consent counts.")
    if core.created > core.updated:
        raise InvalidSignal("created_after_updated", "The string was updated before it was created.")


def _restrictions(bits: Bits) -> tuple[Restriction, ...]:
    found: dict[tuple[int, int], Restriction] = {}
    for _ in range(bits.integer(12)):
        purpose, kind = bits.integer(6), bits.integer(2)
        if not 1 <= purpose <= _PURPOSES or kind > _INTEREST_REQUIRED:
            raise InvalidSignal("bad_restriction", "A publisher restriction names no known purpose or kind.")
        if (purpose, kind) in found:
            raise InvalidSignal("duplicate_restriction", "A publisher restriction stands in the string twice.")
        found[purpose, kind] = Restriction(purpose, kind, bits.ranges())
    return tuple(found.values())


def _segments(texts: list[str]) -> dict[int, Bits]:
    """Return the segments after the core by their type."""
    if len(texts) > _PUBLISHER:
        raise InvalidSignal("too_many_segments", "The string has more segments than there are kinds of them.")
    found: dict[int, Bits] = {}
    for text in texts:
        bits = Bits(text)
        kind = bits.integer(3)
        if kind not in (_DISCLOSED_VENDORS, _ALLOWED_VENDORS, _PUBLISHER):
            raise InvalidSignal("unknown_segment", "The string holds a segment of an unknown type.")
        if kind in found:
            raise InvalidSignal("duplicate_segment", "The string holds the same segment twice.")
        found[kind] = bits
    return found


def _vendors(bits: Bits | None) -> tuple[Range, ...]:
    if bits is None:
        return ()
    vendors = bits.vendors()
    bits.require_end()
    return vendors


def _publisher(bits: Bits | None) -> PublisherChoices:
    if bits is None:
        return PublisherChoices()
    consents, interests = bits.chosen(_PURPOSES), bits.chosen(_PURPOSES)
    custom = bits.integer(6)
    choices = PublisherChoices(consents, interests, bits.chosen(custom), bits.chosen(custom))
    bits.require_end()
    return choices
