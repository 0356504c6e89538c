"""What is hidden from a person, as tags of items: by the obligations of the decision, and by what items say themselves.

Rules of display arrive as obligations. What needs no rule is in force without one:

- an item from an age on is hidden from everybody who is not known to be of age, and one from more than 18 on from
  everybody: no age band says that a person is so old;
- an item that is not for a region is hidden there, and where the region is not known;
- an item with a flag of the law, or out of stock, is hidden where no rule of display speaks about that flag.

The tags of an item are computed by the database (``assent_item_tags``), so a changed flag counts for the next request.
"""

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from policies.bundles import loading
from policies.bundles.loading import LoadedBundle
from policies.decisions import facts
from policies.decisions.evaluate import Decision
from policies.decisions.information import Information
from policies.decisions.rendering import NO_ENGINE, RenderedVerdict
from policies.models.display import ITEM_FLAGS, OUT_OF_STOCK

Hidden = frozenset[str] | None
"""Tags of items that are not shown; None: all that any rule could hide, as it is not known which ones apply."""

REMOVED, PROMOTED = "#removed", "#promoted"
_MIN_AGE, _OVER_18, _SOMEWHERE = "#min-age", "#over-18", "#not-everywhere"
_OUT = "#out-of-stock"
_ADULT, _PROTECTED = "adult", ("minor", "child")


def _of_flag(flag: str) -> str:
    return _OUT if flag == OUT_OF_STOCK else f"#flag:{flag}"


_ALWAYS = frozenset({REMOVED, _OVER_18})
# What is hidden, beyond the categories of all rules, where nothing is known of a person and no policy decided.
EVERYTHING = frozenset({*_ALWAYS, PROMOTED, _MIN_AGE, _SOMEWHERE, *map(_of_flag, ITEM_FLAGS)})


@dataclass(frozen=True)
class Viewer:
    """Person as far as what is hidden depends on them: the regions that count are the register's and the caller's."""

    revision: str | None
    age_band: str
    regions: tuple[str, ...]
    purpose: str


def viewer(known: Information, *, region: str | None, age_band: str | None, purpose: str) -> Viewer:
    """Return the person of a request. The caller may state a lower age than the register's, never a higher one."""
    age = known.age_band if known.age_band in _PROTECTED else age_band or known.age_band
    stated = tuple(sorted({each for each in (known.region, region) if each})) or (facts.UNKNOWN,)
    return Viewer(known.bundle_revision, age, stated, purpose)


def hidden(decision: Decision, seen_by: Viewer | None) -> Hidden:
    """Return what is hidden from the person whom a decision is about."""
    return by_verdict(decision.rendered, seen_by)


def by_verdict(rendered: RenderedVerdict, seen_by: Viewer | None) -> Hidden:
    """Return what is hidden from a person by an answer of the policy, and by what items say themselves."""
    if rendered.engine == NO_ENGINE or seen_by is None:
        return None
    bundle = loading.usable(seen_by.revision)
    if bundle is None:
        return None
    return _without_rule(seen_by, _idle(bundle)).union(*map(of_duty, rendered.verdict.obligations))


def of_duty(duty: Any) -> Iterable[str]:
    """Return the tags that an obligation hides; none of one that hides nothing."""
    said: Mapping[str, Any] = duty.properties
    match duty.type:
        case "hide_items":
            return list(said.get("categories", []))
        case "hide_flagged":
            return map(_of_flag, said.get("flags", []))
        case "hide_promotions":
            named = [*said.get("categories", []), *map(_of_flag, said.get("flags", []))]
            return [f"#ad:{tag}" for tag in named] or [PROMOTED]
    return ()


def _idle(bundle: LoadedBundle) -> frozenset[str]:
    """Return the rules that are outside their days now."""
    return frozenset(facts.idle_rules(bundle, time.time())) if bundle.display_times else frozenset()


@lru_cache(maxsize=4096)
def _without_rule(seen_by: Viewer, idle: frozenset[str]) -> frozenset[str]:
    """Return what is hidden from a person by what items say themselves."""
    bundle = loading.loaded(str(seen_by.revision))
    regions = [facts.region_in(region, bundle) for region in seen_by.regions]
    by_age = () if seen_by.age_band == _ADULT else (_MIN_AGE,)
    return _ALWAYS.union(by_age, *map(_by_region, seen_by.regions), _unspoken(seen_by.purpose, regions, bundle, idle))


def _by_region(region: str) -> Iterable[str]:
    if region == facts.UNKNOWN:
        return (_SOMEWHERE,)
    country, _, part = region.partition("-")
    return (f"#not-in:{country}", f"#not-in:{region}") if part else (f"#not-in:{region}", f"#not-in-part-of:{region}")


def _unspoken(purpose: str, regions: Iterable[str], bundle: LoadedBundle, idle: frozenset[str]) -> set[str]:
    """Return tags of the flags that no rule in force speaks about, for a purpose, in one of the regions."""
    rules = [rule for slug, rule in bundle.data.get("display_rules", {}).items() if slug not in idle]
    spoken = [
        {flag for rule in rules if _speaks(rule, purpose, region, bundle) for flag in rule.get("item_flags", [])}
        for region in regions
    ]
    return {_of_flag(flag) for flag in ITEM_FLAGS if not all(flag in flags for flags in spoken)}


def _speaks(rule: Mapping[str, Any], purpose: str, region: str, bundle: LoadedBundle) -> bool:
    """Return whether a rule is about where a person is, for certain, and about the purpose.

    The age band plays no part: a rule that hides from minors says by that what adults may see.
    """
    if rule.get("promotions_only"):
        return False
    about = bundle.purposes.get(purpose)
    purposes = {purpose, *about.ancestors} if about else set()
    group = bundle.data["residency"]["regions"].get(region)
    names = {region, region.partition("-")[0], group}
    return (not rule["regions"] or (group is not None and not names.isdisjoint(rule["regions"]))) and (
        not rule["purposes"] or not purposes.isdisjoint(rule["purposes"])
    )
