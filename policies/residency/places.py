"""Places that a description names anywhere: members that are called like one, and texts that are a cloud's region.

Both readers of descriptions without a closed schema (Terraform values, custom resources) ask here, so that a setting
added by a later release of a provider is found by its form.
"""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from policies.residency import regions
from policies.residency.placements import text_of

Path = tuple[str, ...]

_MAX_DEPTH = 40
_MEMBER = re.compile(r"(?:[a-z0-9]+_)*(?:regions?|locations?|zones?)(?:_(?:ids?|names?))?")
# Members called like a place that are none of the data's: where data comes from, times, names of DNS, laws.
_NO_PLACE = re.compile(
    r".*(?:time_?zone|source|dns|hosted_zone|security_zone|log_location|config_location|zone_redundant|maintenance).*"
    r"|zone_ids?|zone_names?|s3_location|named_location"
)
# What people write about a resource, and to whom content may be shown, says nothing about where it stands.
_NOT_ENTERED = frozenset(
    {"tags", "tags_all", "labels", "user_labels", "resource_labels", "effective_labels", "terraform_labels",
     "annotations", "metadata", "timeouts", "geo_restriction", "geo_match_statement", "geo_location_match",
     "preferred_during_scheduling_ignored_during_execution"}
)  # fmt: skip
_NOT_THERE = ("NotIn", "DoesNotExist")
# Words of Azure for a second copy in the paired region, and the members that hold them: a server may be called Geo.
_GEO = re.compile(r"(?:(?:standard|premium)_)?(?:ra-?)?gz?rs|geo.*", re.IGNORECASE)
_GEO_MEMBER = re.compile(r".*(?:redundan|replicat|storage|account_type|sku|backup).*")
_GEO_SWITCH = re.compile(r"(?:geo_(?:redundant|backup|replicat).*|cross_region.*)")
_OBJECT_STORE = re.compile(r"(?:s3|gs|abfss?|wasbs?|swift)://.*|https?://[^/]+\.blob\.core\.windows\.net(?:/.*)?")
_MAX_JSON = 200_000
# What an ARN of these members names is used, and nothing is sent to it.
_ONLY_USED = re.compile(r".*(?:source|kms|key|certificate|acm|layer|role|polic|image|primary_|oidc).*")
_SEGMENT = re.compile(r"(?:^|/)(?:locations|regions|zones)/([^/]+)")
_CAPITAL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


def stated(values: Any, provider: str, path: Path = ()) -> Iterator[tuple[Path, str]]:
    """Return the places named in values, each with the path of its member. What a block switches off is left out."""
    for where, value in _leaves(values, path):
        if isinstance(value, str) and (place := _named(value, provider, where[-1])):
            yield where, place


def geo_members(values: Any) -> Iterator[Path]:
    """Return the members that ask Azure for a second copy in the paired region, at any depth."""
    for path, value in _leaves(values, ()):
        is_on = value is True and _GEO_SWITCH.fullmatch(path[-1])
        is_named = isinstance(value, str) and _GEO.fullmatch(value.strip())
        if is_on or (is_named and _GEO_MEMBER.fullmatch(".".join(path[-2:]))):
            yield path


def object_stores(values: Any) -> Iterator[Path]:
    """Return the members that name a bucket: where it stands, its address does not say."""
    for path, value in _leaves(values, ()):
        if isinstance(value, str) and _OBJECT_STORE.fullmatch(value.strip()):
            yield path


def _leaves(values: Any, path: Path) -> Iterator[tuple[Path, Any]]:
    if len(path) > _MAX_DEPTH or (isinstance(values, Mapping) and _is_off(values, path)):
        return
    if isinstance(values, Mapping):
        for key, value in values.items():
            name = snake(str(key).rpartition("/")[2])
            if name not in _NOT_ENTERED:
                yield from _leaves(value, (*path, name))
    elif isinstance(values, list):
        for value in values:
            yield from _leaves(value, path)
    elif (inside := _json_in(values)) is not None:
        yield from _leaves(inside, path)
    elif path:
        yield path, values


def _json_in(value: Any) -> Any:
    """Return what a text of JSON holds, None for any other value. A policy of access says nothing about places."""
    if not isinstance(value, str) or value.lstrip()[:1] not in ("{", "[") or len(value) > _MAX_JSON:
        return None
    try:
        found = json.loads(value)
    except (ValueError, RecursionError):
        return None
    return None if isinstance(found, Mapping) and "Statement" in found else found


def _is_off(values: Mapping[str, Any], path: Path) -> bool:
    return bool(path) and (values.get("enabled") is False or values.get("operator") in _NOT_THERE)


def unknown(marks: Any, path: Path = ()) -> Iterator[Path]:
    """Return the paths of members called like a place whose value a plan marks as known only after it is applied."""
    if len(path) > _MAX_DEPTH:
        return
    if isinstance(marks, Mapping):
        for key, value in marks.items():
            yield from unknown(value, (*path, str(key)))
    elif isinstance(marks, list):
        for value in marks:
            yield from unknown(value, path)
    elif marks is True and path and is_place(path[-1]):
        yield path


def is_place(name: str) -> bool:
    return bool(_MEMBER.fullmatch(name)) and not _NO_PLACE.fullmatch(name)


def snake(name: str) -> str:
    """Return ``replicaRegions`` as ``replica_regions``."""
    return _CAPITAL.sub("_", name).lower()


def of_path(text: str) -> str:
    """Return the place in a resource's path: ``projects/p/locations/us-east1/clusters/c``."""
    found = _SEGMENT.search(text)
    return found[1] if found else ""


def _named(value: str, provider: str, member: str) -> str:
    text = text_of(value)
    if is_place(member):
        # Numbers are zones inside of a region, and a path without a place is a path of files.
        named = of_path(text) if "/" in text else text
        return "" if named.isdigit() else regions.tidy(provider, named)
    if "source" in member:
        return ""
    if not _ONLY_USED.fullmatch(member):
        if host := regions.host_region(text):
            return host  # of another cloud too, where it is no region of this one
        text = _addressed(text, provider) or text
    return regions.tidy(provider, text) if regions.is_region(provider, text) else ""


def _addressed(text: str, provider: str) -> str:
    """Return the region in an ARN, or in the path of a resource of Google; empty for others."""
    found = regions.arn_region(text) if provider in ("", "aws") else ""
    return found or (of_path(text) if provider in ("", "google") else "")
