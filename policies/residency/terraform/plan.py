"""A plan as resources: where each stands, what it belongs to, and where references lead."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import reduce
from typing import Any

from policies.residency import places, regions
from policies.residency.placements import Annotations, list_of, mapping_of, read_labels, text_of
from policies.residency.terraform import kinds
from policies.residency.terraform.providers import ProviderPlace

_MAX_OWNERS = 5
_MAX_DEPTH = 30
_LAST_INDEX = re.compile(r'\[(?:[0-9]+|"(?:[^"\\]|\\.)*")\]$')
_INDEX = re.compile(r'\[(?:[0-9]+|"(?:[^"\\]|\\.)*")\]')
_TARGET = re.compile(r'([A-Za-z0-9_-]+\.[A-Za-z0-9_-]+)(\[(?:[0-9]+|"(?:[^"\\]|\\.)*")\])?(?:[.\[].*)?')
# The more particular first; those with the provider's defaults come last.
_TAGS = ("tags", "labels", "resource_labels", "user_labels", "tags_all", "effective_labels")
_OWN = ("region", "location", "location_id", "zone", "availability_zone", "data_location", "data_residency_location")
# Where these stand is said inside of a block only.
_IN_BLOCK = {
    "google_bigtable_instance": "cluster",
    "google_pubsub_topic": "message_storage_policy",
    "google_secret_manager_secret": "replication",
}
# Where a resource does not name a place, it stands where the one it belongs to stands.
_OWNERS = ("server_id", "server_name", "managed_instance_id", "account_id", "account_name", "cluster_id",
           "cluster_identifier", "cluster", "cluster_name", "storage_account_id", "storage_account_name", "bucket",
           "instance", "instance_id", "instance_name", "key_vault_id", "vault_id", "namespace_id", "namespace_name",
           "workspace_id", "workspace_name", "synapse_workspace_id", "dataset_id", "dataset", "database", "database_id",
           "topic", "topic_id", "secret", "secret_id", "parent", "parent_id", "cdn_frontdoor_profile_id",
           "profile_name")  # fmt: skip
# What these name says whose data it is, not where it is.
_DATA_OF = ("replicate_source_db", "replication_source_identifier", "master_instance_name", "source_server_id",
            "create_source_id", "creation_source_server_id", "source_db_instance_identifier", "global_table_arn",
            "resource_group_name")  # fmt: skip


@dataclass(frozen=True)
class Resource:
    """A planned resource. ``expressions`` is its configuration, which names other resources."""

    address: str
    type: str
    provider: str
    values: Mapping[str, Any]
    unknown: Mapping[str, Any]
    expressions: Mapping[str, Any]
    provider_key: str
    module: str
    """The address of its module's instance with a full stop, or nothing in the root."""

    @property
    def index(self) -> str:
        found = _LAST_INDEX.search(self.address)
        return found[0] if found else ""


@dataclass
class Plan:
    """A plan with its questions: where do resources stand, and where do references lead?"""

    resources: list[Resource]
    providers: Mapping[str, ProviderPlace]
    instances: dict[str, list[Resource]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for each in self.resources:
            self.instances.setdefault(_LAST_INDEX.sub("", each.address), []).append(each)

    def referred(self, resource: Resource, expression: Any) -> list[Resource]:
        """Return the planned resources an expression can mean; none where it can mean something else as well."""
        references = list(_chains(_references(expression)))
        found: dict[str, Resource] = {}
        for reference in references:
            if reference.startswith(("each.", "count.")):
                continue
            meant = self._instances(resource, reference, references)
            if not meant:
                return []
            found.update({each.address: each for each in meant})
        return list(found.values())

    def _instances(self, resource: Resource, reference: str, references: Sequence[str]) -> list[Resource]:
        match = _TARGET.fullmatch(reference)
        every = self.instances.get(f"{resource.module}{match[1]}", []) if match else []
        if match and match[2]:
            return [each for each in every if each.index == match[2]]
        if any(each in ("each.key", "count.index") for each in references):
            return [each for each in every if each.index and each.index == resource.index]
        # Any other index can lead to each of them; where there is none, it is used for something else.
        by_value = any(each.startswith("each.") for each in references)
        return [] if by_value and not all(each.index for each in every) else every

    def owners_of(self, resource: Resource, members: Iterable[str] = _OWNERS) -> list[Resource]:
        """Return what this can be a part of: the server of a database, the bucket of a setting."""
        for name in members:
            if name in resource.expressions:
                owners = self.referred(resource, resource.expressions[name])
                if owners and resource not in owners:
                    return owners
        return []

    def said(self, resource: Resource, depth: int = 0) -> Annotations:
        """Return what tags say about the data, completed by those of the owner; the region only of its own tags."""
        own = _said(resource.values)
        owners = self.owners_of(resource, (*_OWNERS, *_DATA_OF)) if depth < _MAX_OWNERS else []
        above = dict.fromkeys(self.said(owner, depth + 1) for owner in owners)
        # Owners that say different things say nothing: which of them it is, is not known.
        return own.over(replace(next(iter(above)), region=None)) if len(above) == 1 else own

    def places_of(self, resource: Resource, depth: int = 0) -> tuple[str, ...]:
        """Return the regions in the plan; one that is empty where there is none, or only after it is applied."""
        if kinds.is_global(resource.type):
            return ("",)
        if own := _own_places(resource):
            return own
        provider = self.providers.get(resource.provider_key, ProviderPlace())
        if kinds.takes_region(resource.type):
            return (regions.tidy(resource.provider, provider.region),)
        if kinds.takes_zone(resource.type):
            return (regions.tidy(resource.provider, provider.zone),)
        owners = self.owners_of(resource) if depth < _MAX_OWNERS else []
        above = dict.fromkeys(self._owners_places(owner, depth + 1) for owner in owners)
        return next(iter(above)) if len(above) == 1 else ("",)

    def _owners_places(self, owner: Resource, depth: int) -> tuple[str, ...]:
        found = self.places_of(owner, depth)
        tagged = _said(owner.values).region
        return (tagged,) if found == ("",) and tagged else found

    def place_of_any(self, candidates: Iterable[Resource]) -> str:
        """Return the one region all of the resources are in, else nothing."""
        found = {place for each in candidates for place in self.places_of(each)}
        return found.pop() if len(found) == 1 else ""


def without_indexes(address: str) -> str:
    return _INDEX.sub("", address)


def is_written(expressions: Any, path: Sequence[str]) -> bool:
    """Return whether the configuration states the member at a path: what it leaves out, the provider fills in."""
    if isinstance(expressions, list):
        return any(is_written(each, path) for each in expressions)
    if not path:
        return True
    members = mapping_of(expressions)
    return path[0] in members and is_written(members[path[0]], path[1:])


def _own_places(resource: Resource) -> tuple[str, ...]:
    """Return the resource's own regions; an empty one where that is only known later, none where it has none."""
    for name in _OWN:
        if (value := resource.values.get(name)) not in (None, ""):
            return (regions.tidy(resource.provider, text_of(value)),)
        if resource.unknown.get(name) is True and name in resource.expressions:
            return ("",)
    if config := text_of(resource.values.get("config")):  # Spanner: regional-europe-west1
        return (config.rsplit("/", 1)[-1].removeprefix("regional-"),)
    return _block_places(resource) or _path_places(resource)


def _block_places(resource: Resource) -> tuple[str, ...]:
    block = resource.values.get(_IN_BLOCK.get(resource.type, ""))
    if block is None:
        return ()
    if any(mapping_of(each).get(name) for each in list_of(block) for name in ("auto", "automatic")):
        return ("global",)
    return tuple(dict.fromkeys(place for _, place in places.stated(block, resource.provider, ("block",))))


def _path_places(resource: Resource) -> tuple[str, ...]:
    """Return the region in its ARN, or in the path of what it belongs to."""
    if region := regions.arn_region(text_of(resource.values.get("arn"))):
        return (region,)
    named = (places.of_path(text_of(resource.values.get(name))) for name in ("id", *_OWNERS))
    found = next((place for place in named if place), "")
    return (regions.tidy(resource.provider, found),) if found else ()


def _said(values: Mapping[str, Any]) -> Annotations:
    settings = mapping_of((list_of(values.get("settings")) or [{}])[0])
    sources = [values.get(name) for name in _TAGS] + [settings.get("user_labels")]
    return reduce(Annotations.over, map(read_labels, sources))


def _references(expression: Any, depth: int = 0) -> Iterator[str]:
    if depth > _MAX_DEPTH:
        return
    if isinstance(expression, Mapping):
        yield from (text_of(reference) for reference in list_of(expression.get("references")))
        members: list[Any] = [member for key, member in expression.items() if key != "references"]
    else:
        members = list_of(expression)
    for member in members:
        yield from _references(member, depth + 1)


def _chains(references: Iterable[str]) -> Iterator[str]:
    """Return each reference once: a plan lists ``a.b.id`` and then what it begins with, ``a.b``."""
    before = ""
    for reference in references:
        if not before.startswith(reference) or before == reference:
            yield reference
        before = reference
