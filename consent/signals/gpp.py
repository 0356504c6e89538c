"""Strings of the IAB Global Privacy Platform: a header that lists sections, and the sections behind it.

A section whose meaning is not known here is named, not guessed at, and counts as no consent.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from consent.signals import tcf
from consent.signals.bits import Bits, require_bounded
from consent.signals.problems import InvalidSignal
from consent.signals.us_sections import (
    MSPA_VERSION,
    NATIONAL,
    NATIONAL_VERSION_1,
    NATIONAL_VERSION_2,
    NATIONAL_VERSION_2_BITS,
    STATES,
    Layout,
)

OPT_OUT_FIELDS = ("SaleOptOut", "SharingOptOut", "TargetedAdvertisingOptOut")
OPTED_OUT = 1
# A notice and the answer to it, as the sections allow them without an opt-out: nothing that asks for a notice, or a
# notice that was given and not acted on. An answer without a notice, or a notice without an answer, proves nothing.
_NO_OPT_OUT = ((0, 0), (1, 2))
# Consents of a known child or teenager, by age group: 1 is no consent to sell or share (Cal. Civ. Code 1798.120(c)).
CHILD_CONSENTS = "KnownChildSensitiveDataConsents"
NO_CONSENT = 1

_HEADER_TYPE = 3
_HEADER_VERSION = 1
_TCF_EU, _TCF_CANADA, _US_PRIVACY = 2, 5, 6
_TCF_EU_NAME, _TCF_CANADA_NAME, _US_PRIVACY_NAME = "tcfeuv2", "tcfcav1", "uspv1"
_GPC_SUBSECTION = 1
_LARGEST_VALUE = 2


class _NotDecodableHere(Exception):
    """Signal of a section that is in order for all that is known, but whose layout is not known here."""


@dataclass(frozen=True, slots=True)
class GppString:
    sections: Mapping[str, Mapping[str, object]]
    """The decoded US sections under their API prefixes, fields as the specification names them."""
    tcf_eu: tcf.TcString | None
    undecoded: tuple[str, ...]
    """Sections that are listed but could not be decoded, by prefix or as ``section-ID``."""

    @property
    def opt_out(self) -> bool:
        """Return whether sale, sharing or targeted advertising is refused anywhere, or may be."""
        # Canada's section is about consent, which is not read from here, and not about opting out.
        may_refuse = any(name != _TCF_CANADA_NAME for name in self.undecoded)
        return may_refuse or any(_opts_out(section) for section in self.sections.values())

    def fields(self) -> dict[str, object]:
        """Return every section under its API prefix, as ``./assent decode-signal gpp`` prints them."""
        found: dict[str, object] = {name: dict(section) for name, section in self.sections.items()}
        if self.tcf_eu is not None:
            found[_TCF_EU_NAME] = self.tcf_eu.fields()
        if self.undecoded:
            found["undecoded"] = list(self.undecoded)
        return found


def decode(text: str) -> GppString:
    """Decode a GPP string; raises InvalidSignal for one that is malformed anywhere."""
    require_bounded(text)
    header, *texts = text.split("~")
    sections: dict[str, Mapping[str, object]] = {}
    undecoded: list[str] = []
    tcf_eu = None
    for number, section in zip(_section_ids(header, expected=len(texts)), texts, strict=True):
        if number == _TCF_EU:
            tcf_eu = tcf.decode(section)
            continue
        try:
            sections[_name(number)] = _section(number, section)
        except _NotDecodableHere:
            undecoded.append(_name(number))
    return GppString(sections, tcf_eu, tuple(undecoded))


def _section_ids(header: str, *, expected: int) -> list[int]:
    """Return the ids the header lists, which the coding itself keeps ascending."""
    bits = Bits(header)
    if bits.integer(6) != _HEADER_TYPE:
        raise InvalidSignal("not_gpp", "The string does not begin with a GPP header.")
    if bits.integer(6) != _HEADER_VERSION:
        raise InvalidSignal("unknown_version", "The GPP header is of an unknown version.")
    ids: list[int] = []
    last = 0
    for _ in range(bits.integer(12)):
        is_range = bits.flag()
        first = last + bits.fibonacci()
        last = first + bits.fibonacci() if is_range else first
        # Counted before it is spread out, so that a range costs no more than the string holds.
        if len(ids) + last - first + 1 > expected:
            raise InvalidSignal("section_count", "The GPP header lists other sections than the string holds.")
        ids.extend(range(first, last + 1))
    bits.require_end()
    if len(ids) != expected:
        raise InvalidSignal("section_count", "The GPP header lists other sections than the string holds.")
    return ids


def _name(number: int) -> str:
    if number in STATES:
        return STATES[number].prefix
    known = {_TCF_CANADA: _TCF_CANADA_NAME, _US_PRIVACY: _US_PRIVACY_NAME, NATIONAL: NATIONAL_VERSION_2.prefix}
    return known.get(number, f"section-{number}")


def _section(number: int, text: str) -> Mapping[str, object]:
    if not text:
        raise InvalidSignal("empty", "A section of the GPP string is empty.")
    if number == _US_PRIVACY:
        return _us_privacy(text)
    if number == NATIONAL:
        return _us_section(text, NATIONAL_VERSION_2)
    if number in STATES:
        return _us_section(text, STATES[number])
    raise _NotDecodableHere


def _us_privacy(text: str) -> Mapping[str, object]:
    """Return the four characters of the retired US Privacy string."""
    if len(text) != 4 or text[0] != "1" or not set(text[1:]) <= set("YN-"):
        raise InvalidSignal("bad_us_privacy", "The US Privacy section is not four characters such as 1YNN.")
    return {"Version": 1, "Notice": text[1], "OptOutSale": text[2], "LspaCovered": text[3]}


def _us_section(text: str, layout: Layout) -> Mapping[str, object]:
    first, *others = text.split(".")
    bits = Bits(first)
    version = bits.integer(6)
    if layout.version_name == MSPA_VERSION and version != 1:
        # The published drafts begin with the section's id instead; no encoder writes them yet.
        raise _NotDecodableHere
    fields: dict[str, object] = {layout.version_name: version}
    if layout is NATIONAL_VERSION_2:
        fields |= _national_values(bits, version)
    elif version == 1:
        fields |= _values(bits, layout)
    else:
        raise _unknown_section_version()
    bits.require_end()
    return fields | _second_segment(others, layout)


def _national_values(bits: Bits, version: int) -> dict[str, object]:
    """Return the values of the national section.

    Encoders of the time between wrote version 1 in the layout of version 2; it shows in the length, and the
    values that version 1 does not know are left out.
    """
    if version not in (1, 2):
        raise _unknown_section_version()
    # The six bits of the version are read already.
    is_wide = version == 2 or len(bits) >= NATIONAL_VERSION_2_BITS - 6
    values = _values(bits, NATIONAL_VERSION_2 if is_wide else NATIONAL_VERSION_1)
    if version == 1:
        for name, length in NATIONAL_VERSION_1.values:
            found = values[name]
            if isinstance(found, list):
                values[name] = found[:length]
    return values


def _values(bits: Bits, layout: Layout) -> dict[str, object]:
    values: dict[str, object] = {}
    for name, length in layout.values:
        values[name] = [_value(bits) for _ in range(length)] if length else _value(bits)
    return values


def _value(bits: Bits) -> int:
    value = bits.integer(2)
    if value > _LARGEST_VALUE:
        raise InvalidSignal("bad_value", "A field of a US section holds a value that does not exist.")
    return value


def _second_segment(texts: list[str], layout: Layout) -> dict[str, object]:
    """Return what stands behind the core: the GPC subsection, or some states' sensitive data."""
    if len(texts) > int(layout.has_gpc or layout.sensitive > 0):
        raise InvalidSignal("unknown_segment", "A US section holds more segments than it can have.")
    if layout.has_gpc:
        return {"Gpc": bool(texts) and _gpc(Bits(texts[0]))}
    if layout.sensitive:
        return {"SensitiveDataProcessing": _sensitive(texts, layout.sensitive)}
    return {}


def _gpc(bits: Bits) -> bool:
    if bits.integer(2) != _GPC_SUBSECTION:
        raise InvalidSignal("unknown_segment", "A US section holds a segment of an unknown type.")
    is_set = bits.flag()
    bits.require_end()
    return is_set


def _sensitive(texts: list[str], length: int) -> list[int]:
    if not texts:
        return [0] * length
    bits = Bits(texts[0])
    values = [_value(bits) for _ in range(length)]
    bits.require_end()
    return values


def _unknown_section_version() -> InvalidSignal:
    return InvalidSignal("unknown_section_version", "A US section is of an unknown version.")


def _opts_out(section: Mapping[str, object]) -> bool:
    return (
        section.get("Gpc") is True
        or section.get("OptOutSale") == "Y"
        or any(_refuses(section, name) for name in OPT_OUT_FIELDS if name in section)
        or _lacks_child_consent(section.get(CHILD_CONSENTS))
    )


def _refuses(section: Mapping[str, object], name: str) -> bool:
    notice, answer = section.get(f"{name}Notice"), section[name]
    return answer == OPTED_OUT or (notice is not None and (notice, answer) not in _NO_OPT_OUT)


def _lacks_child_consent(consents: object) -> bool:
    """Return whether consent is missing for any age group; most sections hold a list, some a single value."""
    return NO_CONSENT in consents if isinstance(consents, list) else consents == NO_CONSENT
