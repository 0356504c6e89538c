"""Copies of a planned resource: replicas and backups, by the settings of the three large clouds."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from policies.residency import regions
from policies.residency.placements import Kind, Placement, copies, list_of, mapping_of, text_of

if TYPE_CHECKING:
    from policies.residency.terraform import Plan, Resource

_REPLICATED = ("GRS", "RAGRS", "GZRS", "RAGZRS")
# Lists of places that a resource holds besides its own: the setting, and the member that names the region.
_PLACES = {
    "replica": ("region_name", "region", "location"),
    "replicas": ("location", "region"),
    "geo_location": ("location",),
    "georeplications": ("location",),
    "additional_location": ("location",),
}


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


def copies_of(plan: "Plan", resource: "Resource", here: Placement) -> Iterator[Placement]:
    yield from _listed(resource, here)
    yield from _s3(plan, resource, here)
    yield from {"aws": _aws, "google": _google, "azurerm": _azure}.get(resource.provider, _nothing)(resource, here)


def _nothing(resource: "Resource", here: Placement) -> Iterator[Placement]:
    yield from ()


def _listed(resource: "Resource", here: Placement) -> Iterator[Placement]:
    for setting, members in _PLACES.items():
        for place in map(mapping_of, list_of(resource.values.get(setting))):
            named = next((text_of(place[name]) for name in members if text_of(place.get(name))), "")
            region = regions.tidy(resource.provider, named)
            if region != here.region or not region:
                yield replace(here, kind=Kind.REPLICA, region=region, path=f"{here.path}.{setting}")


def _s3(plan: "Plan", resource: "Resource", here: Placement) -> Iterator[Placement]:
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
        destination = mapping_of((list_of(rule.get("destination")) or [{}])[0])
        written = mapping_of(said[number]).get("destination") if number < len(said) else None
        target = plan.referred(resource, written) or _bucket(plan, text_of(destination.get("bucket")))
        region = plan.region_of(target) if target else ""
        yield replace(here, kind=Kind.REPLICA, region=region, path=f"{here.path}.rule[{number}].destination")


def _bucket(plan: "Plan", arn: str) -> "Resource | None":
    name = arn.removeprefix("arn:aws:s3:::")
    buckets = (each for each in plan.resources if each.type == "aws_s3_bucket")
    return next((each for each in buckets if name and each.values.get("bucket") == name), None)


def _aws(resource: "Resource", here: Placement) -> Iterator[Placement]:
    days = resource.values.get("backup_retention_period")
    if isinstance(days, int) and days > 0:
        yield replace(here, kind=Kind.BACKUP, path=f"{here.path}.backup_retention_period")
    for rule in map(mapping_of, list_of(resource.values.get("rule"))):
        for copy in map(mapping_of, list_of(rule.get("copy_action"))):
            parts = text_of(copy.get("destination_vault_arn")).split(":")
            region = parts[3] if len(parts) > 5 else ""
            yield replace(here, kind=Kind.BACKUP, region=region, path=f"{here.path}.copy_action")


def _google(resource: "Resource", here: Placement) -> Iterator[Placement]:
    for setting in map(mapping_of, list_of(resource.values.get("settings"))):
        for backup in map(mapping_of, list_of(setting.get("backup_configuration"))):
            if backup.get("enabled"):
                stated = text_of(backup.get("location"))
                region = regions.tidy("google", stated) or regions.google_backup_region(here.region)
                yield replace(here, kind=Kind.BACKUP, region=region, path=f"{here.path}.backup_configuration")
    for placing in map(mapping_of, list_of(resource.values.get("custom_placement_config"))):
        named = [regions.tidy("google", text_of(each)) for each in list_of(placing.get("data_locations"))]
        yield from copies(here, Kind.REPLICA, named)
    for replication in map(mapping_of, list_of(resource.values.get("replication"))):
        for managed in map(mapping_of, list_of(replication.get("user_managed"))):
            places = [text_of(mapping_of(each).get("location")) for each in list_of(managed.get("replicas"))]
            yield from copies(here, Kind.REPLICA, places)
        if replication.get("auto"):
            yield replace(here, kind=Kind.REPLICA, region="global", path=f"{here.path}.replication.auto")


def _azure(resource: "Resource", here: Placement) -> Iterator[Placement]:
    values = resource.values
    kind: Kind | None = None
    if values.get("account_replication_type") in _REPLICATED:
        kind = Kind.REPLICA
    elif values.get("geo_redundant_backup_enabled") or _is_geo_redundant(resource.type, values):
        kind = Kind.BACKUP
    if kind:
        yield replace(here, kind=kind, region=regions.azure_pair(here.region), path=f"{here.path} (paired region)")


def _is_geo_redundant(resource_type: str, values: Mapping[str, Any]) -> bool:
    """Return whether the resource is geo-redundant: both kinds are unless the plan says otherwise."""
    if resource_type == "azurerm_mssql_database":
        return values.get("storage_account_type", "Geo") in ("Geo", "GeoZone", None)
    if resource_type == "azurerm_recovery_services_vault":
        return values.get("storage_mode_type", "GeoRedundant") in ("GeoRedundant", None)
    return False
