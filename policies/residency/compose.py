"""Compose files as placements. They name no regions of their own: ``x-assent`` or labels say where a service runs."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import reduce
from typing import Any

from policies.residency import regions
from policies.residency.placements import (
    Annotations,
    Kind,
    Placement,
    Unreadable,
    list_of,
    mapping_of,
    placed,
    read_annotations,
    read_labels,
    text_of,
)

_CONSTRAINT = re.compile(r"(?:node|engine)\.labels\.(?:\S*[./])?(?:region|zone)\s*==\s*(\S+)")
_TOPOLOGY = re.compile(r"region|zone")
# What keeps a volume on the machine itself; every other file system, or driver, can be on another.
_LOCAL = ("", "none", "bind", "tmpfs", "ext3", "ext4", "xfs", "btrfs", "zfs")
_REGION_NAMED = re.compile(r"(?:.*[-_.])?region", re.IGNORECASE)
_RENDER = "judge the output of docker compose config"
_VARIABLE = re.compile(r"\$\{[A-Za-z_][A-Za-z0-9_]*:?-([^${}]*)\}")


def is_compose(document: Mapping[str, Any]) -> bool:
    return "services" in document or "include" in document


def read_compose(document: Mapping[str, Any], file: str) -> list[Placement]:
    """Return a process for each service and a store for each volume. Raises Unreadable."""
    if document.get("include"):
        raise Unreadable(f"it includes other files: {_RENDER}")
    services = document.get("services")
    if not isinstance(services, Mapping):
        raise Unreadable("it is a compose file without services")
    general = _said(document, labels=False)
    chains = {str(name): _chain(str(name), services) for name in services}
    by_service = {name: _place_of(chain, general) for name, chain in chains.items()}
    return [
        *_services(services, by_service, file),
        *_sent(chains, by_service, file),
        *_models(document, general, file),
        *_volumes(document, chains, by_service, general, file),
    ]


def _chain(name: str, services: Mapping[str, Any], seen: tuple[str, ...] = ()) -> list[Mapping[str, Any]]:
    """Return a service and, one after the other, the services of the same file that it extends."""
    service = mapping_of(services.get(name))
    extends = service.get("extends")
    if not extends:
        return [service]
    base = text_of(extends) if isinstance(extends, str) else text_of(mapping_of(extends).get("service"))
    if mapping_of(extends).get("file") or base not in services or base in (name, *seen):
        raise Unreadable(f"service {text_of(name)} extends one of another file: {_RENDER}")
    return [service, *_chain(base, services, (name, *seen))]


def _place_of(chain: list[Mapping[str, Any]], general: Annotations) -> Annotations:
    own = reduce(Annotations.over, map(_service, chain))
    # What a provider runs is no container of this host: only its own words say where it is.
    is_elsewhere = any(service.get("provider") for service in chain)
    return own.over(replace(general, region="") if is_elsewhere else general)


def _services(services: Mapping[str, Any], said: Mapping[str, Annotations], file: str) -> Iterator[Placement]:
    for name, service in services.items():
        place = _without_variables(said[str(name)])
        yield from placed(
            place,
            file=file,
            resource=f"service {text_of(str(name))}",
            kind=Kind.BACKUP if "backup" in str(name).lower() else Kind.PROCESS,
            provider="",
            path=f"services.{text_of(str(name))}",
            line=getattr(service, "line", None),
        )


def _sent(
    chains: Mapping[str, list[Mapping[str, Any]]], said: Mapping[str, Annotations], file: str
) -> Iterator[Placement]:
    """Return where a service sends its log, or works with a cloud, as far as it is given a region."""
    for name, chain in chains.items():
        log = next((mapping_of(each.get("logging")) for each in chain if each.get("logging")), {})
        sent = [("logging", text_of(region)) for region in _regions_named(log.get("options"))]
        named = [region for each in chain for region in _regions_named(each.get("environment"))]
        sent += [("environment", region) for region in dict.fromkeys(named) if regions.group_of("", region)]
        for part, region in sent:
            place = replace(said[name], region=region, backup_regions=(), replica_regions=())
            yield from placed(
                _without_variables(place),
                file=file,
                resource=f"service {text_of(name)} ({part})",
                kind=Kind.REPLICA,
                provider="",
                path=f"services.{text_of(name)}.{part}",
            )


def _regions_named(options: Any) -> list[str]:
    """Return the values of options, or of an environment, that are called a region."""
    if isinstance(options, list):
        options = dict(each.split("=", 1) for each in options if isinstance(each, str) and "=" in each)
    return [
        _VARIABLE.sub(r"\1", text_of(value))
        for key, value in mapping_of(options).items()
        if _REGION_NAMED.fullmatch(str(key))
    ]


def _models(document: Mapping[str, Any], general: Annotations, file: str) -> Iterator[Placement]:
    """Place the models that services send their questions to."""
    for name, model in mapping_of(document.get("models")).items():
        yield from placed(
            _without_variables(_said(mapping_of(model), labels=True).over(general)),
            file=file,
            resource=f"model {text_of(str(name))}",
            kind=Kind.PROCESS,
            provider="",
            path=f"models.{text_of(str(name))}",
            line=getattr(model, "line", None),
        )


def _volumes(
    document: Mapping[str, Any],
    chains: Mapping[str, list[Mapping[str, Any]]],
    said: Mapping[str, Annotations],
    general: Annotations,
    file: str,
) -> Iterator[Placement]:
    """Place each volume where it says, else where each of the services that mount it is."""
    for name, volume in mapping_of(document.get("volumes")).items():
        own = _said(mapping_of(volume), labels=True)
        if _is_elsewhere(mapping_of(volume)):
            own = own.over(Annotations(region=""))
        users = [said[user] for user, chain in chains.items() if any(str(name) in _mounted(each) for each in chain)]
        for place in dict.fromkeys(own.over(user) for user in users or [general]):
            yield from placed(
                _without_variables(place),
                file=file,
                resource=f"volume {text_of(str(name))}",
                kind=Kind.BACKUP if "backup" in str(name).lower() else Kind.STORE,
                provider="",
                path=f"volumes.{text_of(str(name))}",
                line=getattr(volume, "line", None),
            )


def _is_elsewhere(volume: Mapping[str, Any]) -> bool:
    """Return whether a volume can be on another machine than its services: a share, a cloud's disk, one made before."""
    options = mapping_of(volume.get("driver_opts"))
    is_share = text_of(options.get("type")).lower() not in _LOCAL or "addr=" in str(options.get("o", ""))
    return text_of(volume.get("driver")) not in ("", "local") or is_share or _is_external(volume)


def _is_external(volume: Mapping[str, Any]) -> bool:
    """Return whether a volume was made elsewhere, with a driver this file does not show."""
    return volume.get("external") not in (None, False, "", "false", "no", "False")


def _service(service: Mapping[str, Any]) -> Annotations:
    deploy = mapping_of(service.get("deploy"))
    constraints = list_of(mapping_of(deploy.get("placement")).get("constraints"))
    found = {_bound(text_of(each)) for each in constraints if _TOPOLOGY.search(text_of(each))}
    place = Annotations(region=(found.pop() if len(found) == 1 else "") if found else None)
    said = place.over(_said(service, labels=True)).over(read_labels(deploy.get("labels")))
    return said.over(read_labels(service.get("annotations")))


def _bound(constraint: str) -> str:
    """Return the region a constraint binds to; empty where it says something else about regions or zones."""
    match = _CONSTRAINT.fullmatch(constraint)
    return regions.tidy("", match[1]) if match else ""


def _said(thing: Mapping[str, Any], *, labels: bool) -> Annotations:
    said = read_annotations(thing.get("x-assent"))
    return said.over(read_labels(thing.get("labels"))) if labels else said


def _mounted(service: Mapping[str, Any]) -> set[str]:
    mounts = list_of(service.get("volumes"))
    return {
        text_of(mount.get("source")) if isinstance(mount, Mapping) else text_of(mount).split(":")[0] for mount in mounts
    }


def _without_variables(said: Annotations) -> Annotations:
    """Resolve ``${REGION:-eu-central-1}`` to its default; a variable without one is not known here."""
    region = _VARIABLE.sub(r"\1", said.region or "")
    return replace(said, region="" if "$" in region else region)
