"""What binds to a region: node selectors, required affinity, topologies of storage. A preference is no promise."""

from collections.abc import Iterator, Mapping
from typing import Any

from policies.residency import places, regions
from policies.residency.placements import list_of, mapping_of, text_of


def is_topology(key: Any) -> bool:
    """Return whether a label of nodes names a region or zone: ``topology.kubernetes.io/zone``, and those of drivers."""
    return text_of(key).rpartition("/")[2] in ("region", "zone")


def pod_regions(pod: Mapping[str, Any]) -> list[str]:
    """Return the regions the nodes of a pod are bound to; none where it is free."""
    selector = mapping_of(pod.get("nodeSelector"))
    chosen = _chosen({key: [value] for key, value in selector.items()})
    affinity = mapping_of(pod.get("affinity"))
    # An operator's resources select nodes within their affinity (CloudNativePG).
    chosen = chosen or _chosen({key: [value] for key, value in mapping_of(affinity.get("nodeSelector")).items()})
    required = mapping_of(
        mapping_of(affinity.get("nodeAffinity")).get("requiredDuringSchedulingIgnoredDuringExecution")
    )
    return chosen or term_regions(required)


def term_regions(selector: Mapping[str, Any]) -> list[str]:
    """Return the regions of alternative terms: one that binds to no region leaves the place open."""
    terms = [_of_expressions(mapping_of(term)) for term in list_of(selector.get("nodeSelectorTerms"))]
    return [] if not all(terms) else list(dict.fromkeys(region for term in terms for region in term))


def class_regions(storage_class: Mapping[str, Any]) -> list[str]:
    """Return where a storage class makes volumes: by its topologies and by its driver's parameters."""
    found = []
    for topology in map(mapping_of, list_of(storage_class.get("allowedTopologies"))):
        for expression in map(mapping_of, list_of(topology.get("matchLabelExpressions"))):
            if is_topology(expression.get("key")):
                found += [regions.tidy("", text_of(value)) for value in list_of(expression.get("values"))]
    found += [
        regions.tidy("", each)
        for _, text in places.stated(storage_class.get("parameters"), "")
        for each in text.split(",")
    ]
    return list(dict.fromkeys(found))


def is_geo_redundant(storage_class: Mapping[str, Any]) -> bool:
    """Return whether Azure keeps a second copy of the class's volumes in the paired region."""
    parameters = mapping_of(storage_class.get("parameters"))
    named = (
        text_of(value) for key, value in parameters.items() if str(key).lower() in ("skuname", "storageaccounttype")
    )
    return any(sku.upper().endswith(("GRS", "GZRS")) for sku in named)


def _chosen(labels: Mapping[str, list[Any]]) -> list[str]:
    """Return the regions of the labels; without any, the zones', and zones of another region than the labels'."""
    named: dict[str, list[str]] = {"region": [], "zone": []}
    for key, values in labels.items():
        named.get(text_of(key).rpartition("/")[2], []).extend(regions.tidy("", text_of(value)) for value in values)
    strays = [zone for zone in named["zone"] if regions.group_of("", zone)] if named["region"] else named["zone"]
    return list(dict.fromkeys((*named["region"], *strays)))


def _of_expressions(term: Mapping[str, Any]) -> list[str]:
    labels: dict[str, list[Any]] = {}
    for expression in _inclusive(term):
        labels.setdefault(text_of(expression.get("key")), list_of(expression.get("values")))
    return _chosen(labels)


def _inclusive(term: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for expression in map(mapping_of, list_of(term.get("matchExpressions"))):
        if expression.get("operator") == "In":
            yield expression
