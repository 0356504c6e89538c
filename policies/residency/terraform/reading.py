"""Terraform plans (``terraform show -json PLAN``) as placements.

Every managed resource of a cloud is judged, unless its type is known to hold no data: an unknown type needs a region
too.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from policies.residency import regions
from policies.residency.placements import Kind, Placement, Unreadable, list_of, mapping_of, placed, text_of
from policies.residency.terraform import copies, kinds
from policies.residency.terraform.plan import Plan, Resource, without_indexes
from policies.residency.terraform.providers import provider_places

_MAX_RESOURCES = 20_000
_MAX_MODULE_DEPTH = 30
# google-beta and the like plan the same resources.
_HELD_ELSEWHERE = ("data", "ephemeral")  # modes of what a plan reads, or never stores
_MAKERS = ("hashicorp", "builtin", "opentofu")
_PROVIDERS = {"google-beta": "google", "azuread": "azurerm", "azapi": "azurerm", "awscc": "aws"}


def read_plan(document: Mapping[str, Any], file: str) -> list[Placement]:
    """Return the placements of a plan or a state. Raises Unreadable."""
    plan = _plan(document)
    return [
        placement
        for resource in plan.resources
        if resource.provider not in kinds.HARMLESS_PROVIDERS and not kinds.holds_nothing(resource.type, resource.values)
        for placement in _placements(plan, resource, file)
    ]


def _placements(plan: Plan, resource: Resource, file: str) -> Iterator[Placement]:
    region, *more = plan.places_of(resource)
    said = plan.said(resource)
    if region and said.region and regions.tidy(resource.provider, said.region) not in (region, *more):
        more.append(said.region)  # which of the two is right is not known here
    kind = Kind.STORE if kinds.is_store(resource.type) else Kind.PROCESS
    at = placed(
        replace(said, region=region or said.region),
        file=file,
        resource=resource.address,
        kind=copies.own_kind(resource.type, resource.values) or kind,
        provider=resource.provider,
        path=f"planned_values: {resource.address}",
    )
    first = next(at)
    yield first
    yield from at
    yield from (replace(first, kind=Kind.REPLICA, region=each) for each in more)
    yield from copies.copies_of(plan, resource, first, {first.region, *more})


def _plan(document: Mapping[str, Any]) -> Plan:
    root = mapping_of(document.get("planned_values", document.get("values"))).get("root_module", {})
    if not isinstance(document.get("planned_values", document.get("values")), Mapping) or not isinstance(root, Mapping):
        raise Unreadable("it is a Terraform document without planned values: write it with terraform show -json PLAN")
    if document.get("errored") is True:
        raise Unreadable("it is a plan that ended in an error, so it does not hold everything: plan again")
    if document.get("complete") is False and not document.get("deferred_changes"):
        raise Unreadable("it is a plan of a part only (terraform plan -target): plan everything")
    configuration = mapping_of(document.get("configuration"))
    configured = dict(_configured(mapping_of(configuration.get("root_module")), "", 0))
    unknown = {
        text_of(change.get("address")): mapping_of(mapping_of(change.get("change")).get("after_unknown"))
        for change in map(mapping_of, list_of(document.get("resource_changes")))
    }
    found = []
    for resource, module in [*_planned(root, "", 0), *_deferred(document)]:
        found.append(_resource(resource, module, configured, unknown))
        if len(found) > _MAX_RESOURCES:
            raise Unreadable(f"it plans more than {_MAX_RESOURCES} resources")
    return Plan(found, provider_places(configuration, mapping_of(document.get("variables"))))


def _resource(
    raw: Mapping[str, Any],
    module: str,
    configured: Mapping[str, Mapping[str, Any]],
    unknown: Mapping[str, Mapping[str, Any]],
) -> Resource:
    address = text_of(raw.get("address")) or f"a {text_of(raw.get('type')) or 'resource'} without an address"
    kind = text_of(raw.get("type"))
    configuration = configured.get(without_indexes(address), {})
    provider = _provider_of(text_of(raw.get("provider_name"))) or kind.split("_")[0]
    return Resource(
        address=address,
        type=kind,
        provider=_PROVIDERS.get(provider, provider),
        values=mapping_of(raw.get("values")),
        unknown=unknown.get(address, {}),
        expressions=mapping_of(configuration.get("expressions")),
        provider_key=text_of(configuration.get("provider_config_key")),
        module=module,
    )


def _provider_of(name: str) -> str:
    """Return a provider's name; with its maker, where another one calls itself like one that holds nothing."""
    *_, maker, provider = ("", *name.split("/"))
    is_other = provider in kinds.HARMLESS_PROVIDERS and maker and maker not in _MAKERS
    return f"{maker}/{provider}" if is_other else provider


def _planned(module: Mapping[str, Any], prefix: str, depth: int) -> Iterator[tuple[Mapping[str, Any], str]]:
    if depth > _MAX_MODULE_DEPTH:
        raise Unreadable("its modules are nested too deeply")
    if any(not isinstance(module.get(member, []), list | None) for member in ("resources", "child_modules")):
        raise Unreadable("its modules list their resources in no form that is known")
    for resource in map(mapping_of, list_of(module.get("resources"))):
        if resource.get("mode") not in _HELD_ELSEWHERE:
            yield resource, prefix
    for child in map(mapping_of, list_of(module.get("child_modules"))):
        yield from _planned(child, f"{text_of(child.get('address'))}.", depth + 1)


def _deferred(document: Mapping[str, Any]) -> Iterator[tuple[Mapping[str, Any], str]]:
    """Return resources whose planning was put off: they are no part of the values, and what they will be is unknown."""
    for deferred in map(mapping_of, list_of(document.get("deferred_changes"))):
        change = mapping_of(deferred.get("resource_change"))
        if change.get("mode") not in _HELD_ELSEWHERE:
            yield {**change, "values": {}}, ""


def _configured(module: Mapping[str, Any], prefix: str, depth: int) -> Iterator[tuple[str, Mapping[str, Any]]]:
    if depth > _MAX_MODULE_DEPTH:
        raise Unreadable("its modules are nested too deeply")
    for resource in map(mapping_of, list_of(module.get("resources"))):
        yield f"{prefix}{text_of(resource.get('address'))}", resource
    for name, call in mapping_of(module.get("module_calls")).items():
        inner = mapping_of(mapping_of(call).get("module"))
        yield from _configured(inner, f"{prefix}module.{name}.", depth + 1)
