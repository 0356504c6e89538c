"""Terraform plans (``terraform show -json PLAN``) as placements.

Every managed resource of a cloud is judged, unless its type is known to hold no data: an unknown type needs a region
too.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from policies.residency import regions, terraform_copies
from policies.residency.placements import (
    Annotations,
    Kind,
    Placement,
    Unreadable,
    list_of,
    mapping_of,
    placed,
    read_labels,
    text_of,
)

_MAX_RESOURCES = 20_000
_MAX_MODULE_DEPTH = 30
_MAX_OWNERS = 5
_INDEX = re.compile(r'\[(?:[0-9]+|"(?:[^"\\]|\\.)*")\]')
_HARMLESS_PROVIDERS = frozenset(
    {"random", "null", "tls", "local", "time", "archive", "external", "template", "http", "terraform", "cloudinit"}
)
_HOLDS_NOTHING = re.compile(
    r"aws_(iam|vpc|subnet|route|route53|security_group|internet_gateway|nat_gateway|eip|acm|kms|network|default|lb|alb|"
    r"autoscaling_policy|appautoscaling|cloudwatch_metric_alarm|cloudwatch_event|key_pair|flow_log|budgets|caller|"
    r"db_subnet_group|db_parameter_group|rds_cluster_parameter_group|elasticache_subnet_group|"
    r"elasticache_parameter_group|s3_bucket_(versioning|policy|acl|ownership|public|server_side|lifecycle|cors|logging|"
    r"metric|notification|website|request|accelerate|intelligent|analytics)|s3_account_public|placement_group|"
    r"launch_template|backup_selection|backup_vault_policy|ecs_cluster_capacity|eks_addon|vpn|customer_gateway|"
    r"organizations|resourcegroups|service_discovery|volume_attachment|lambda_permission|ssoadmin|wafv2)(_.*)?"
    r"|google_(project|compute_(network|subnetwork|firewall|router|address|global|route|ssl|target|url_map|backend|"
    r"forwarding|health|http|managed_ssl)|service_account|service_networking|dns|kms|organization|folder|iam|"
    r"storage_bucket_iam|sql_user|sql_ssl|monitoring|billing|secret_manager_secret_iam|.*_iam_(member|binding|policy))"
    r"(_.*)?"
    r"|azurerm_(resource_group|virtual_network|subnet|network|public_ip|role|user_assigned|dns|private|key_vault_access|"
    r"key_vault_key|management_lock|policy|monitor|route|nat_gateway|.*_firewall_rule|consumption|lb)(_.*)?"
)
_STORES = re.compile(
    r"aws_(s3_bucket|db_instance|rds_cluster|dynamodb_table|elasticache|efs|ebs|redshift|docdb|neptune|opensearch|"
    r"elasticsearch|kinesis|sqs|sns|timestream|memorydb|secretsmanager|ssm_parameter|cloudwatch_log|backup_vault|fsx|"
    r"glacier|msk|qldb|keyspaces|cloudtrail|athena|glue)"
    r"|google_(storage|sql|bigquery|bigtable|spanner|firestore|datastore|redis|filestore|pubsub|secret_manager|"
    r"compute_disk|compute_snapshot|alloydb|logging)"
    r"|azurerm_(storage|mssql|postgresql|mysql|mariadb|cosmosdb|redis|managed_disk|data|key_vault|log_analytics|"
    r"eventhub|servicebus|search|kusto|synapse|recovery|container_registry)"
)
# Where a resource does not name a place, it stands where the one it belongs to stands.
_OWNERS = ("server_id", "account_id", "cluster_id", "cluster_identifier", "storage_account_id", "storage_account_name",
           "bucket", "instance", "key_vault_id", "vault_id", "namespace_id", "workspace_id", "instance_id",
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


@dataclass
class Plan:
    """A plan with its questions: where do resources stand, and where do references lead?"""

    resources: list[Resource]
    provider_regions: dict[str, str]
    by_address: dict[str, Resource] = field(default_factory=dict)

    def referred(self, resource: Resource, expression: Any) -> Resource | None:
        """Return the planned resource an expression names first, in the resource's own module."""
        for reference in _references(expression):
            name = ".".join(_without_index(reference).split(".")[:2])
            if found := self.by_address.get(f"{resource.module}{name}"):
                return found
        return None

    def owner_of(self, resource: Resource) -> Resource | None:
        """Return the resource this one is a part of: the server of a database, the bucket of a setting."""
        found = (self.referred(resource, resource.expressions.get(name)) for name in _OWNERS)
        return next((owner for owner in found if owner is not None and owner is not resource), None)

    def region_of(self, resource: Resource, depth: int = 0) -> str:
        """Return the region in the plan; empty where there is none, or only after it is applied."""
        own = _own_region(resource)
        if own is not None:
            return regions.tidy(resource.provider, own)
        owner = self.owner_of(resource) if resource.provider not in ("aws", "google") else None
        if owner is not None and depth < _MAX_OWNERS:
            return self.region_of(owner, depth + 1)
        return self.provider_regions.get(resource.provider_key, "")


def read_plan(document: Mapping[str, Any], file: str) -> list[Placement]:
    """Return the placements of a plan or a state. Raises Unreadable."""
    plan = _plan(document)
    return [
        placement
        for resource in plan.resources
        if resource.provider not in _HARMLESS_PROVIDERS and not _HOLDS_NOTHING.fullmatch(resource.type)
        for placement in _placements(plan, resource, file)
    ]


def _placements(plan: Plan, resource: Resource, file: str) -> Iterator[Placement]:
    values = resource.values
    owner = plan.owner_of(resource)
    said = _said(values).over(_said(owner.values) if owner else Annotations())
    here = Annotations(region=plan.region_of(resource)).over(replace(said, region=_said(values).region))
    kind = Kind.STORE if _STORES.match(resource.type) else Kind.PROCESS
    kind = terraform_copies.own_kind(resource.type, values) or kind
    at = placed(
        here,
        file=file,
        resource=resource.address,
        kind=kind,
        provider=resource.provider,
        path=f"planned_values: {resource.address}",
    )
    first = next(at)
    yield first
    yield from at
    yield from terraform_copies.copies_of(plan, resource, first)


def _said(values: Mapping[str, Any]) -> Annotations:
    general = read_labels(values.get("tags_all")).over(read_labels(values.get("labels")))
    return read_labels(values.get("tags")).over(general)


def _plan(document: Mapping[str, Any]) -> Plan:
    planned = document.get("planned_values", document.get("values"))
    if not isinstance(planned, Mapping):
        raise Unreadable("it is a Terraform document without planned values: write it with terraform show -json PLAN")
    configuration = mapping_of(document.get("configuration"))
    configured = dict(_configured(mapping_of(configuration.get("root_module")), "", 0))
    unknown = {
        text_of(change.get("address")): mapping_of(mapping_of(change.get("change")).get("after_unknown"))
        for change in map(mapping_of, list_of(document.get("resource_changes")))
    }
    found = []
    for resource, module in _planned(mapping_of(planned.get("root_module")), "", 0):
        found.append(_resource(resource, module, configured, unknown))
        if len(found) > _MAX_RESOURCES:
            raise Unreadable(f"it plans more than {_MAX_RESOURCES} resources")
    plan = Plan(found, _provider_regions(configuration, mapping_of(document.get("variables"))))
    for each in found:
        plan.by_address.setdefault(_without_index(each.address), each)
    return plan


def _resource(
    raw: Mapping[str, Any],
    module: str,
    configured: Mapping[str, Mapping[str, Any]],
    unknown: Mapping[str, Mapping[str, Any]],
) -> Resource:
    address = text_of(raw.get("address")) or f"a {text_of(raw.get('type')) or 'resource'} without an address"
    kind = text_of(raw.get("type"))
    configuration = configured.get(_without_index(address), {})
    provider = text_of(raw.get("provider_name")).rsplit("/", 1)[-1] or kind.split("_")[0]
    # google-beta and the like plan the same resources.
    provider = {"google-beta": "google", "azuread": "azurerm", "azapi": "azurerm"}.get(provider, provider)
    return Resource(
        address=address,
        type=kind,
        provider=provider,
        values=mapping_of(raw.get("values")),
        unknown=unknown.get(address, {}),
        expressions=mapping_of(configuration.get("expressions")),
        provider_key=text_of(configuration.get("provider_config_key")).rsplit(":", 1)[-1] or provider,
        module=module,
    )


def _planned(module: Mapping[str, Any], prefix: str, depth: int) -> Iterator[tuple[Mapping[str, Any], str]]:
    if depth > _MAX_MODULE_DEPTH:
        raise Unreadable("its modules are nested too deeply")
    for resource in map(mapping_of, list_of(module.get("resources"))):
        if resource.get("mode", "managed") == "managed":
            yield resource, prefix
    for child in map(mapping_of, list_of(module.get("child_modules"))):
        yield from _planned(child, f"{_without_index(text_of(child.get('address')))}.", depth + 1)


def _configured(module: Mapping[str, Any], prefix: str, depth: int) -> Iterator[tuple[str, Mapping[str, Any]]]:
    if depth > _MAX_MODULE_DEPTH:
        raise Unreadable("its modules are nested too deeply")
    for resource in map(mapping_of, list_of(module.get("resources"))):
        yield f"{prefix}{text_of(resource.get('address'))}", resource
    for name, call in mapping_of(module.get("module_calls")).items():
        inner = mapping_of(mapping_of(call).get("module"))
        yield from _configured(inner, f"{prefix}module.{name}.", depth + 1)


def _provider_regions(configuration: Mapping[str, Any], variables: Mapping[str, Any]) -> dict[str, str]:
    found = {}
    for key, provider in mapping_of(configuration.get("provider_config")).items():
        expressions = mapping_of(mapping_of(provider).get("expressions"))
        expression = mapping_of(expressions.get("region") or expressions.get("location"))
        value = text_of(expression.get("constant_value"))
        for reference in [] if value else _references(expression):
            if reference.startswith("var."):
                value = text_of(mapping_of(variables.get(reference.split(".")[1])).get("value"))
        found[str(key)] = value.lower()
    return found


def _own_region(resource: Resource) -> str | None:
    """Return the resource's own region; empty where that is only known later, None where there is none."""
    for name in ("region", "location", "zone", "availability_zone"):
        if value := text_of(resource.values.get(name)):
            return value
        if resource.unknown.get(name) is True and name in resource.expressions:
            return ""
    if config := text_of(resource.values.get("config")):  # Spanner: regional-europe-west1
        return config.rsplit("/", 1)[-1].removeprefix("regional-")
    return arn_region(text_of(resource.values.get("arn"))) or None


def arn_region(arn: str) -> str:
    parts = arn.split(":")
    return parts[3] if len(parts) > 5 and parts[0] == "arn" else ""


def _references(expression: Any, depth: int = 0) -> Iterator[str]:
    if depth > _MAX_MODULE_DEPTH:
        return
    if isinstance(expression, Mapping):
        yield from (text_of(reference) for reference in list_of(expression.get("references")))
        members: list[Any] = [member for key, member in expression.items() if key != "references"]
    else:
        members = list_of(expression)
    for member in members:
        yield from _references(member, depth + 1)


def _without_index(address: str) -> str:
    return _INDEX.sub("", address)
