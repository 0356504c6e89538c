"""Law that protects a person: the region's, else the country's, else the strictest in question, else the default."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from common import patterns
from consent.register.jurisdictions import pack as files
from consent.register.jurisdictions.pack import AGE_OF_MAJORITY, DEFAULT, Pack
from consent.register.jurisdictions.strictness import strictest

_REGION = re.compile(patterns.REGION, re.ASCII)


class MatchKind(StrEnum):
    """Rule by which a law was found."""

    REGION = "region"
    COUNTRY = "country"
    STRICTEST = "strictest"
    DEFAULT = "default"


@dataclass(frozen=True, kw_only=True)
class Matched:
    """The law that protects a person, how it was found, and in which revision of the packs."""

    code: str  # of a pack, or "us-strictest" where several are combined
    region: str  # as it was looked up: empty if it is no ISO 3166 code
    rule: MatchKind
    revision: str
    pack: Pack
    age_of_consent: int
    needs_guardian: bool

    def proof(self) -> dict[str, str]:
        """Return what is kept with a consent: enough to find the rule again, of the person only the region."""
        return {"law": self.code, "region": self.region, "rule": self.rule.value, "packs": self.revision}


def match(region: str, age_band: str = "unknown") -> Matched:
    """Find the law for an ISO 3166 code. Never raises: any other text gets the default."""
    code = normal(region)
    rule, law = _law(code)
    return Matched(
        code=law.slug,
        region=code,
        rule=rule,
        revision=files.revision(),
        pack=law,
        age_of_consent=law.age_in(code),
        needs_guardian=_needs_guardian(law, code, age_band),
    )


def age_of_consent(region: str) -> int:
    return match(region).age_of_consent


def needs_guardian(region: str, age_band: str) -> bool:
    """Return whether a guardian has to agree.

    Always for a child, who is below the age of consent; for a minor where consent begins with majority; and where no
    age is stated and that does not count as adult.
    """
    return match(region, age_band).needs_guardian


def consent_days(region: str, purpose_days: int) -> int:
    """Return how many days a yes counts: the purpose's or the law's, whichever are fewer."""
    return min(purpose_days, match(region).pack.consent_days)


def normal(region: str) -> str:
    """Return the code as ISO 3166 writes it, or nothing."""
    code = region.strip().upper()
    return code if _REGION.fullmatch(code) else ""


def _needs_guardian(law: Pack, region: str, age_band: str) -> bool:
    if age_band in ("adult", "child"):
        return age_band == "child"
    if age_band == "minor":
        return law.age_in(region) >= AGE_OF_MAJORITY
    return not law.unknown_age_is_adult


@lru_cache(maxsize=1024)
def _law(code: str) -> tuple[MatchKind, Pack]:
    return find(code, files.packs())


def find(code: str, among: Sequence[Pack]) -> tuple[MatchKind, Pack]:
    """Resolve a code among packs; one of them is the default."""
    country, _, part = code.partition("-")
    inside = [pack for pack in among if any(region.partition("-")[0] == country for region in pack.regions)]
    exact = [pack for pack in inside if code in pack.regions]
    whole = [pack for pack in inside if country in pack.regions]
    if part and len(exact) == 1:
        return MatchKind.REGION, exact[0]
    if part and not exact and len(whole) == 1:
        return MatchKind.COUNTRY, whole[0]
    if not part and len(whole) == len(inside) == 1:
        return MatchKind.COUNTRY, whole[0]
    candidates = exact if part and exact else inside
    if candidates:
        return MatchKind.STRICTEST, strictest(
            candidates,
            slug=f"{(code if part and exact else country).lower()}-strictest",
            name=f"{country}, part not known: strictest of {len(candidates)} laws",
        )
    return MatchKind.DEFAULT, next(pack for pack in among if pack.slug == DEFAULT)
