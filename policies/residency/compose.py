"""Compose files as placements. They name no regions of their own: ``x-assent`` or labels say where a service runs."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

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

_CONSTRAINT = re.compile(r"node\.labels\.(?:topology\.kubernetes\.io/)?region\s*==\s*(\S+)")
_VARIABLE = re.compile(r"\$\{[A-Za-z_][A-Za-z0-9_]*:?-([^${}]*)\}")


def read_compose(document: Mapping[str, Any], file: str) -> list[Placement]:
    """Return a process for each service and a store for each volume. Raises Unreadable."""
    services = document.get("services")
    if not isinstance(services, Mapping):
        raise Unreadable("it is a compose file without services")
    general = _said(document, labels=False)
    by_service = {str(name): _service(mapping_of(service)).over(general) for name, service in services.items()}
    return [
        *_services(services, by_service, file),
        *_volumes(document, services, by_service, general, file),
    ]


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


def _volumes(
    document: Mapping[str, Any],
    services: Mapping[str, Any],
    said: Mapping[str, Annotations],
    general: Annotations,
    file: str,
) -> Iterator[Placement]:
    """Place each volume where it says, else where each of the services that mount it is."""
    for name, volume in mapping_of(document.get("volumes")).items():
        own = _said(mapping_of(volume), labels=True)
        users = [said[str(user)] for user, service in services.items() if str(name) in _mounted(mapping_of(service))]
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


def _service(service: Mapping[str, Any]) -> Annotations:
    deploy = mapping_of(service.get("deploy"))
    constraints = list_of(mapping_of(deploy.get("placement")).get("constraints"))
    found = [match[1] for each in constraints if (match := _CONSTRAINT.fullmatch(text_of(each)))]
    place = Annotations(region=found[0] if found else None)
    return place.over(_said(service, labels=True)).over(read_labels(deploy.get("labels")))


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
