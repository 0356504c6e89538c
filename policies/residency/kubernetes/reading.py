"""Manifests as placements: where pods are bound to run, volumes to lie, backups to go, and what operators make.

A kind that is neither known nor known to hold nothing is judged by what its description names, and refused where that
is no region.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from policies.residency import places, regions
from policies.residency.kubernetes import binding, kinds
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

_BACKUP_WORDS = ("backup", "dump", "snapshot", "restic", "velero")
_MAX_LISTS = 10
# Where an operator's resource says where it is: its own words, not those of a copy further inside.
_SELF = ((), ("for_provider",), ("parameters",))
_SELF_MEMBERS = ("region", "location", "location_id", "zone", "availability_zone")
_NO_DESCRIPTION = ("apiVersion", "kind", "metadata", "status")
_OLD_CLASS = "volume.beta.kubernetes.io/storage-class"
_ACK_REGION = "services.k8s.aws/region"

Manifest = Mapping[str, Any]


@dataclass
class Shared:
    """What one file says for the objects of others: namespaces, storage classes, volumes."""

    spaces: dict[str, Annotations] = field(default_factory=dict)
    classes: dict[str, list[Manifest]] = field(default_factory=dict)
    volumes: dict[str, list[str]] = field(default_factory=dict)


def shared_of(documents: Iterable[Any]) -> Shared:
    """Return what all files together share. A class that two of them define is both. Raises Unreadable."""
    shared = Shared()
    for manifest in (each for document in documents for each in _opened(document)):
        name = _name(manifest)
        if kinds.is_core(manifest, "Namespace"):
            shared.spaces[name] = _own_annotations(manifest).over(shared.spaces.get(name, Annotations()))
        elif kinds.is_core(manifest, "StorageClass", "storage.k8s.io"):
            shared.classes.setdefault(name, []).append(manifest)
        elif kinds.is_core(manifest, "PersistentVolume"):
            shared.volumes.setdefault(name, []).extend(
                _volume_regions(manifest) or [_own_annotations(manifest).region or ""]
            )
    return shared


def read_manifests(documents: Iterable[Any], shared: Shared, file: str) -> list[Placement]:
    """Return the placements of all objects of a file; lists are opened. Raises Unreadable."""
    found: list[Placement] = []
    for manifest in (each for document in documents for each in _opened(document)):
        space = text_of(mapping_of(manifest.get("metadata")).get("namespace")) or "default"
        said = _own_annotations(manifest).over(shared.spaces.get(space, Annotations()))
        found.extend(_read(manifest, said, shared, file))
    return found


def _opened(document: Any, depth: int = 0, like: Manifest | None = None) -> Iterator[Manifest]:
    """Return the objects of a list, and of the lists in it. Those of a ``PodList`` may leave their kind to it."""
    manifest = mapping_of(document)
    if like and not text_of(manifest.get("kind")):
        manifest = {**like, **{key: value for key, value in manifest.items() if key not in like}}
    kind = text_of(manifest.get("kind"))
    if kind.endswith("List") and isinstance(manifest.get("items"), list):
        if depth > _MAX_LISTS:
            raise Unreadable("its lists are nested too deeply")
        typed = {"apiVersion": manifest.get("apiVersion"), "kind": kind.removesuffix("List")}
        for item in manifest["items"]:
            yield from _opened(item, depth + 1, typed if typed["kind"] else None)
    else:
        yield manifest


def _read(manifest: Manifest, said: Annotations, shared: Shared, file: str) -> Iterator[Placement]:
    spec = kinds.spec_of(manifest)
    if kinds.runs_pods(manifest):
        yield from _workload(manifest, said, shared, file)
    elif kinds.is_core(manifest, "PersistentVolumeClaim"):
        yield from _claim(manifest, manifest, said, [], shared, file)
    elif kinds.is_core(manifest, "PersistentVolume"):
        yield from _places(manifest, said, _volume_regions(manifest), Kind.STORE, file)
    elif kinds.group_of(manifest) == "velero.io" and text_of(manifest.get("kind")).endswith("Location"):
        region = text_of(mapping_of(spec.get("config")).get("region"))
        yield from _places(manifest, said, [region] if region else [], Kind.BACKUP, file)
    elif host := regions.host_region(text_of(spec.get("externalName"))):
        yield from _places(manifest, said, [host], Kind.STORE, file, "externalName")
    elif not kinds.holds_nothing(manifest):
        yield from _custom(manifest, said, shared, file)
    elif not kinds.is_core(manifest, "Namespace") and _own_annotations(manifest) != Annotations():
        yield from _places(manifest, said, [], Kind.STORE, file)


def _workload(manifest: Manifest, said: Annotations, shared: Shared, file: str) -> Iterator[Placement]:
    template = _pod_template(manifest)
    pod = kinds.spec_of(manifest) if kinds.is_core(manifest, "Pod") else mapping_of(template.get("spec"))
    said = read_labels(mapping_of(template.get("metadata")).get("annotations")).over(said)
    bound = binding.pod_regions(pod)
    is_job = text_of(manifest.get("kind")) in ("CronJob", "Job")
    is_backup = is_job and any(word in _name(manifest).lower() for word in _BACKUP_WORDS)
    yield from _places(manifest, said, bound, Kind.BACKUP if is_backup else Kind.PROCESS, file)
    if is_backup:
        once = replace(said, backup_regions=(), replica_regions=())
        for region in _environment_regions(pod):
            if region or not said.backup_regions:
                yield from _places(manifest, once, [region], Kind.BACKUP, file, "env")
    else:
        yield from _worked_with(manifest, said, pod, bound, file)
    yield from _templated_claims(manifest, said, bound, shared, file)
    yield from _inline_volumes(manifest, pod, said, bound, shared, file)


def _worked_with(
    manifest: Manifest, said: Annotations, pod: Manifest, bound: list[str], file: str
) -> Iterator[Placement]:
    """Return the other regions of a cloud that the environment of a pod names: there its services are used."""
    once = replace(said, backup_regions=(), replica_regions=())
    for region in _environment_regions(pod):
        known = regions.tidy("", region)
        if regions.group_of("", known) and known not in (bound or [said.region or ""]):
            yield from _places(manifest, once, [known], Kind.REPLICA, file, "env")


def _inline_volumes(
    manifest: Manifest, pod: Manifest, said: Annotations, bound: list[str], shared: Shared, file: str
) -> Iterator[Placement]:
    """Place the volumes a pod describes itself: where a share stands, only an annotation of the object can say."""
    once = replace(said, backup_regions=(), replica_regions=())
    for volume in map(mapping_of, list_of(pod.get("volumes"))):
        part = f"volumes.{text_of(volume.get('name'))}"
        claim = mapping_of(mapping_of(volume.get("ephemeral")).get("volumeClaimTemplate"))
        if claim:
            yield from _claim(manifest, claim, once, bound, shared, file, part)
        elif kinds.is_remote(volume):
            own = _own_annotations(manifest).region or ""
            yield from _places(manifest, replace(once, region=own), [], Kind.STORE, file, part)


def _templated_claims(
    manifest: Manifest, said: Annotations, bound: list[str], shared: Shared, file: str
) -> Iterator[Placement]:
    for claim in map(mapping_of, list_of(kinds.spec_of(manifest).get("volumeClaimTemplates"))):
        own = _own_annotations(claim).over(said)
        yield from _claim(manifest, claim, own, bound, shared, file, f"volumeClaimTemplates.{_name(claim)}")


def _claim(
    manifest: Manifest,
    claim: Manifest,
    said: Annotations,
    bound: list[str],
    shared: Shared,
    file: str,
    part: str = "",
) -> Iterator[Placement]:
    """Place a claim by its volume or class. Where these are in no file, only its own object can say where it lies."""
    named, volume = _class_of(claim), text_of(kinds.spec_of(claim).get("volumeName"))
    classes = shared.classes.get(named, [])
    found = shared.volumes.get(volume, []) or _regions_of_classes(classes)
    if not found and not classes and (named or volume):
        own = _own_annotations(claim).over(_own_annotations(manifest))
        said, bound = replace(said, region=own.region or ""), []
    yield from _places(manifest, said, found or bound, Kind.STORE, file, part)
    if any(map(binding.is_geo_redundant, classes)):
        pairs = [regions.azure_pair(region) for region in found or bound or [said.region or ""]]
        yield from _places(manifest, said, pairs, Kind.REPLICA, file, part)


def _class_of(claim: Manifest) -> str:
    annotated = mapping_of(mapping_of(claim.get("metadata")).get("annotations")).get(_OLD_CLASS)
    return text_of(kinds.spec_of(claim).get("storageClassName")) or text_of(annotated)


def _regions_of_classes(classes: Iterable[Manifest]) -> list[str]:
    """Return the regions of every class of a name; none where one of them leaves it open."""
    each = [binding.class_regions(storage_class) for storage_class in classes]
    return list(dict.fromkeys(region for found in each for region in found)) if all(each) else []


def _custom(manifest: Manifest, said: Annotations, shared: Shared, file: str) -> Iterator[Placement]:
    """Judge an object of a kind that is not known: by its pods, by its own words, else by its annotation."""
    cloud, template = kinds.cloud_of(manifest), mapping_of(kinds.spec_of(manifest).get("template"))
    said = read_labels(mapping_of(template.get("metadata")).get("annotations")).over(said)
    described = {key: value for key, value in manifest.items() if key not in _NO_DESCRIPTION}
    stated = list(dict.fromkeys(places.stated(described, cloud)))
    bound = _custom_regions(manifest, template, stated)
    kind = Kind.BACKUP if any(word in text_of(manifest.get("kind")).lower() for word in _BACKUP_WORDS) else Kind.PROCESS
    yield from _places(manifest, said, bound, kind, file, provider=cloud)
    here = bound or [said.region or ""]
    copied = [(path, region) for path, region in stated if region not in here]
    if not said.backup_regions:
        copied += [(path, "") for path in places.object_stores(described)]
    if cloud == "azurerm" and (path := next(places.geo_members(described), None)):
        copied += [(path, regions.azure_pair(region)) for region in here]
    for path, region in copied:
        is_backup = kind is Kind.BACKUP or any("backup" in name for name in path)
        # The object's own annotation says where it is, not where its copies go.
        once = replace(said, backup_regions=(), replica_regions=())
        copy = Kind.BACKUP if is_backup else Kind.REPLICA
        yield from _places(manifest, once, [region], copy, file, ".".join(path), cloud)
    yield from _templated_claims(manifest, said, bound, shared, file)


def _custom_regions(manifest: Manifest, template: Manifest, stated: list[tuple[places.Path, str]]) -> list[str]:
    return (
        binding.pod_regions(kinds.spec_of(manifest))
        or binding.pod_regions(mapping_of(template.get("spec")))
        or [region for path, region in stated if path[1:-1] in _SELF and path[-1] in _SELF_MEMBERS]
        or _ack_region(manifest)
    )


def _places(
    manifest: Manifest,
    said: Annotations,
    bound: list[str],
    kind: Kind,
    file: str,
    part: str = "",
    provider: str = "",
) -> Iterator[Placement]:
    """Return one placement for each region it is bound to, else for the one it is annotated with."""
    of_kind = text_of(manifest.get("kind"))
    name = f"{of_kind} {_name(manifest)}" if of_kind else "object without a kind"
    for number, region in enumerate(bound or [said.region or ""]):
        # Copies named by annotation are the same in every region.
        once = said if number == 0 else replace(said, backup_regions=(), replica_regions=())
        yield from placed(
            replace(once, region=region),
            file=file,
            resource=f"{name} ({part})" if part else name,
            kind=kind,
            provider=provider,
            path=part or "spec",
            line=getattr(manifest, "line", None),
        )


def _pod_template(manifest: Manifest) -> Manifest:
    spec = kinds.spec_of(manifest)
    if text_of(manifest.get("kind")) == "CronJob":
        spec = mapping_of(mapping_of(spec.get("jobTemplate")).get("spec"))
    return mapping_of(spec.get("template"))


def _volume_regions(volume: Manifest) -> list[str]:
    affinity = mapping_of(mapping_of(kinds.spec_of(volume).get("nodeAffinity")).get("required"))
    handle = text_of(mapping_of(kinds.spec_of(volume).get("csi")).get("volumeHandle"))
    named = places.of_path(handle)
    return binding.term_regions(affinity) or ([regions.tidy("", named)] if named else [])


def _environment_regions(pod: Manifest) -> list[str]:
    """Return where a backup job writes to, as far as its environment states it."""
    variables = (
        mapping_of(variable)
        for container in (*list_of(pod.get("containers")), *list_of(pod.get("initContainers")))
        for variable in list_of(mapping_of(container).get("env"))
    )
    named = [each for each in variables if text_of(each.get("name")).endswith("REGION")]
    # One that a secret or another variable fills in is not known here.
    return list(
        dict.fromkeys("" if "$" in text_of(each.get("value")) else text_of(each.get("value")) for each in named)
    )


def _ack_region(manifest: Manifest) -> list[str]:
    """Return the region AWS's own operator is asked for, by the annotation of an object."""
    region = text_of(mapping_of(mapping_of(manifest.get("metadata")).get("annotations")).get(_ACK_REGION))
    return [regions.tidy("aws", region)] if region else []


def _own_annotations(manifest: Manifest) -> Annotations:
    metadata = mapping_of(manifest.get("metadata"))
    return read_labels(metadata.get("annotations")).over(read_labels(metadata.get("labels")))


def _name(manifest: Manifest) -> str:
    return text_of(mapping_of(manifest.get("metadata")).get("name")) or "without a name"
