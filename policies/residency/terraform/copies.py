"""Copies of a planned resource: replicas and backups, by the settings of the three large clouds."""

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from typing import Any

from policies.residency import places, regions
from policies.residency.placements import Kind, Placement, list_of, mapping_of, text_of
from policies.residency.terraform.plan import Plan, Resource, is_written

# What Azure does where the plan does not say otherwise.
_GEO_UNLESS_SAID = {
    "azurerm_mssql_database": "storage_account_type",
    "azurerm_mssql_managed_instance": "storage_account_type",
    "azurerm_recovery_services_vault": "storage_mode_type",
    "azurerm_data_protection_backup_vault": "redundancy",
    "azurerm_synapse_sql_pool": "geo_backup_policy_enabled",
    "azurerm_cosmosdb_account": "backup",
}

# Blocks that hold copies only: where one is known only after it is applied, so are its places.
_COPIES_ONLY = {
    "aws_dynamodb_table": "replica",
    "azurerm_cosmosdb_account": "geo_location",
    "azurerm_container_registry": "georeplications",
}
_GEO_DECIDED_BY = frozenset(
    {"account_replication_type", "storage_account_type", "storage_mode_type", "redundancy", "geo_backup_policy_enabled",
     "geo_redundant_backup_enabled", "backup"}
)  # fmt: skip
_PARTNER = re.compile(r"(?:partner|secondary)(?:_[a-z]+)*_(?:ids?|names?|servers?|namespaces?|clusters?|databases?)")


def own_kind(resource_type: str, values: Mapping[str, Any]) -> Kind | None:
    """Return the kind of a resource that is itself a copy of another."""
    if "backup" in resource_type or "snapshot" in resource_type or "recovery_services" in resource_type:
        return Kind.BACKUP
    if any(
        values.get(name) for name in ("replicate_source_db", "replication_source_identifier", "master_instance_name")
    ):
        return Kind.REPLICA
    if values.get("create_mode") == "Replica" or values.get("instance_type") == "READ_REPLICA_INSTANCE":
        return Kind.REPLICA
    return None


def copies_of(plan: Plan, resource: Resource, here: Placement, known: Collection[str]) -> Iterator[Placement]:
    """Return the copies. ``known`` are the regions the resource itself is in, which need no second placement."""
    yield from _named(resource, here, known)
    yield from _partners(plan, resource, here)
    yield from _unknown(resource, here)
    yield from _s3(plan, resource, here)
    yield from {"aws": _aws, "google": _google, "azurerm": _azure}.get(resource.provider, _nothing)(resource, here)


def _nothing(resource: Resource, here: Placement) -> Iterator[Placement]:
    yield from ()


def _named(resource: Resource, here: Placement, known: Collection[str]) -> Iterator[Placement]:
    """Return every other place the values name, whatever the setting is called."""
    stated = dict.fromkeys(places.stated(resource.values, resource.provider))
    for path, region in stated:
        if region not in known:
            yield _copy(here, path, region)
    for path in dict.fromkeys(places.unknown(resource.unknown)):
        if len(path) > 1 and is_written(resource.expressions, path):
            yield _copy(here, path, "")


def _partners(plan: Plan, resource: Resource, here: Placement) -> Iterator[Placement]:
    """Return the second half of a pair for failover. One that the plan does not hold stands where is not known."""
    for member in dict.fromkeys((*resource.values, *resource.expressions)):
        if _PARTNER.fullmatch(member) and (resource.values.get(member) or member in resource.expressions):
            partner = plan.referred(resource, resource.expressions.get(member))
            yield _copy(here, (member,), plan.place_of_any(partner))


def _unknown(resource: Resource, here: Placement) -> Iterator[Placement]:
    """Return a copy of unstated place where whether and whither is copied is known only after it is applied."""
    for member, is_unknown in resource.unknown.items():
        is_decided = resource.provider == "azurerm" and member in _GEO_DECIDED_BY and member in resource.expressions
        if is_unknown is True and (is_decided or _COPIES_ONLY.get(resource.type) == member):
            yield _copy(here, (member,), "")


def _copy(here: Placement, path: places.Path, region: str) -> Placement:
    is_backup = any("backup" in name or "snapshot" in name for name in path)
    kind = Kind.BACKUP if is_backup else Kind.REPLICA
    return replace(here, kind=kind, region=region, path=f"{here.path}.{'.'.join(path)}")


def _s3(plan: Plan, resource: Resource, here: Placement) -> Iterator[Placement]:
    """Return the copies of a bucket: an ARN names no region, so the plan has to know the bucket it is copied to."""
    if resource.type == "aws_s3_bucket_replication_configuration":
        rules, said = list_of(resource.values.get("rule")), list_of(resource.expressions.get("rule"))
    elif resource.type == "aws_s3_bucket":
        settings = list_of(resource.values.get("replication_configuration"))
        rules = [rule for setting in settings for rule in list_of(mapping_of(setting).get("rules"))]
        said = []
    else:
        return
    for number in range(max(len(rules), len(said))):
        rule = mapping_of(rules[number]) if number < len(rules) else {}
        written = mapping_of(said[number]) if number < len(said) else {}
        named = text_of(_first(rule.get("destination")).get("bucket"))
        target = _bucket(plan, named) or plan.referred(resource, _first(written.get("destination")).get("bucket"))
        path = f"{here.path}.rule[{number}].destination"
        yield replace(here, kind=Kind.REPLICA, region=plan.place_of_any(target), path=path)


def _first(blocks: Any) -> Mapping[str, Any]:
    return mapping_of((list_of(blocks) or [blocks])[0])


def _bucket(plan: Plan, arn: str) -> list[Resource]:
    name = arn.rpartition(":::")[2]
    return [
        each for each in plan.resources if each.type == "aws_s3_bucket" and name and each.values.get("bucket") == name
    ]


def _aws(resource: Resource, here: Placement) -> Iterator[Placement]:
    days = resource.values.get("backup_retention_period")
    if isinstance(days, int) and days > 0:
        yield replace(here, kind=Kind.BACKUP, path=f"{here.path}.backup_retention_period")
    for rule in map(mapping_of, list_of(resource.values.get("rule"))):
        for copy in map(mapping_of, list_of(rule.get("copy_action"))):
            region = regions.arn_region(text_of(copy.get("destination_vault_arn")))
            yield replace(here, kind=Kind.BACKUP, region=region, path=f"{here.path}.copy_action")


def _google(resource: Resource, here: Placement) -> Iterator[Placement]:
    for setting in map(mapping_of, list_of(resource.values.get("settings"))):
        for backup in map(mapping_of, list_of(setting.get("backup_configuration"))):
            if backup.get("enabled") and not text_of(backup.get("location")):
                region = regions.google_backup_region(here.region)
                yield replace(here, kind=Kind.BACKUP, region=region, path=f"{here.path}.backup_configuration")


def _azure(resource: Resource, here: Placement) -> Iterator[Placement]:
    path = next(places.geo_members(resource.values), None)
    member = ".".join(path) if path else _geo_unless_said(resource.type, resource.values)
    if member:
        kind = Kind.REPLICA if member == "account_replication_type" else Kind.BACKUP
        where = f"{here.path}.{member} (paired region)"
        yield replace(here, kind=kind, region=regions.azure_pair(here.region), path=where)


def _geo_unless_said(resource_type: str, values: Mapping[str, Any]) -> str:
    """Return the member that is left out where Azure then copies."""
    member = _GEO_UNLESS_SAID.get(resource_type, "")
    said = values.get(member)
    if member == "backup":  # Cosmos DB: continuous backups stay, periodic ones are copied
        block = _first(said)
        said = block.get("storage_redundancy") or (block if block.get("type") == "Continuous" else None)
    return member if said is None or said == [] or said == "" else ""
