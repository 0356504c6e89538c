"""Layouts of the US sections of a GPP string.

The layouts follow the section specifications of the Global Privacy Platform (December 2025) and its reference
encoder 3.2. A name followed by ``*N`` is a list of N values; every value takes two bits.
"""

from dataclasses import dataclass

VERSION = "Version"
MSPA_VERSION = "MspaVersion"

_SHARING_NOTICES = "SharingNotice SaleOptOutNotice TargetedAdvertisingOptOutNotice"
_PROCESSING_NOTICES = "ProcessingNotice SaleOptOutNotice TargetedAdvertisingOptOutNotice"
_OPT_OUTS = "SaleOptOut TargetedAdvertisingOptOut"
_MSPA = "MspaCoveredTransaction MspaOptOutOptionMode MspaServiceProviderMode"
_ADDITIONAL = "AdditionalDataProcessingConsent"
_LATE_CORE = f"MspaCoveredTransaction MspaMode {_PROCESSING_NOTICES} {_OPT_OUTS}"
_NATIONAL_START = (
    "SharingNotice SaleOptOutNotice SharingOptOutNotice TargetedAdvertisingOptOutNotice "
    "SensitiveDataProcessingOptOutNotice SensitiveDataLimitUseNotice "
    "SaleOptOut SharingOptOut TargetedAdvertisingOptOut"
)


@dataclass(frozen=True, slots=True)
class Layout:
    """One US section: its API prefix and the values after the six bits of its version."""

    prefix: str
    values: tuple[tuple[str, int], ...]
    """Names with the length of the list, 0 for a single value."""
    has_gpc: bool = False
    sensitive: int = 0
    """How many sensitive-data values an optional second segment holds."""
    version_name: str = VERSION


def _layout(prefix: str, names: str, *, has_gpc: bool = True, sensitive: int = 0, late: bool = False) -> Layout:
    values = []
    for name in names.split():
        plain, _, length = name.partition("*")
        values.append((plain, int(length or 0)))
    return Layout(prefix, tuple(values), has_gpc, sensitive, MSPA_VERSION if late else VERSION)


def _state(prefix: str, *, sensitive: int, children: int, sharing: bool = False, additional: bool = True) -> Layout:
    """Return the layout most states share; ``children`` is 0 for a single value instead of a list."""
    child = "KnownChildSensitiveDataConsents" + (f"*{children}" if children else "")
    notices = _SHARING_NOTICES if sharing else _PROCESSING_NOTICES
    names = f"{notices} {_OPT_OUTS} SensitiveDataProcessing*{sensitive} {child} "
    names += f"{_ADDITIONAL} {_MSPA}" if additional else _MSPA
    return _layout(prefix, names, has_gpc=prefix not in {"usva", "usfl"})


def _national(*, sensitive: int, children: int) -> Layout:
    lists = f"SensitiveDataProcessing*{sensitive} KnownChildSensitiveDataConsents*{children}"
    return _layout("usnat", f"{_NATIONAL_START} {lists} PersonalDataConsents {_MSPA}")


def _late_state(prefix: str) -> Layout:
    names = f"{_LATE_CORE} KnownChildSensitiveDataConsents {_ADDITIONAL}"
    return _layout(prefix, names, has_gpc=False, sensitive=8, late=True)


NATIONAL = 7
NATIONAL_VERSION_1 = _national(sensitive=12, children=2)
NATIONAL_VERSION_2 = _national(sensitive=16, children=3)
# The fields of version 2 fill 70 bits; version 1 with its padding stays below.
NATIONAL_VERSION_2_BITS = 70

STATES = {
    8: _layout(
        "usca",
        "SaleOptOutNotice SharingOptOutNotice SensitiveDataLimitUseNotice SaleOptOut SharingOptOut "
        f"SensitiveDataProcessing*9 KnownChildSensitiveDataConsents*2 PersonalDataConsents {_MSPA}",
    ),
    9: _state("usva", sensitive=8, children=0, sharing=True, additional=False),
    10: _state("usco", sensitive=7, children=0, sharing=True, additional=False),
    11: _layout(
        "usut",
        f"{_SHARING_NOTICES} SensitiveDataProcessingOptOutNotice {_OPT_OUTS} "
        f"SensitiveDataProcessing*8 KnownChildSensitiveDataConsents {_MSPA}",
        has_gpc=False,
    ),
    12: _state("usct", sensitive=8, children=3, sharing=True, additional=False),
    13: _state("usfl", sensitive=8, children=3),
    14: _state("usmt", sensitive=8, children=3, sharing=True),
    15: _state("usor", sensitive=11, children=3),
    16: _state("ustx", sensitive=8, children=0),
    17: _state("usde", sensitive=9, children=5),
    18: _layout(
        "usia",
        f"{_PROCESSING_NOTICES} SensitiveDataOptOutNotice {_OPT_OUTS} "
        f"SensitiveDataProcessing*8 KnownChildSensitiveDataConsents {_MSPA}",
    ),
    19: _state("usne", sensitive=8, children=0),
    20: _state("usnh", sensitive=8, children=3),
    21: _state("usnj", sensitive=10, children=5),
    22: _state("ustn", sensitive=8, children=0),
    23: _state("usmn", sensitive=8, children=0),
    24: _layout("usmd", f"{_LATE_CORE} {_ADDITIONAL}", late=True),
    25: _late_state("usin"),
    26: _late_state("usky"),
    27: _late_state("usri"),
}
