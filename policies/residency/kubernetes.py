"""Kubernetes manifests as placements: where pods are bound to run, volumes to lie, and backups to go.

Only what binds counts: node selectors and required affinity. A preference is no promise.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from policies.residency import regions
from policies.residency.placements import (
    Annotations,
    Kind,
    Placement,
    list_of,
    mapping_of,
    placed,
    read_labels,
    text_of,
)

_REGION = ("topology.kubernetes.io/region", "failure-domain.beta.kubernetes.io/region")
_ZONE = ("topology.kubernetes.io/zone", "failure-domain.beta.kubernetes.io/zone")
_WORKLOADS = frozenset(
    {"Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "ReplicationController", "Job", "CronJob", "Pod"}
)
_BACKUP_WORDS = ("backup", "dump", "snapshot", "restic", "velero")
_BUCKET_REGIONS = ("AWS_REGION", "AWS_DEFAULT_REGION", "BACKUP_REGION")

Manifest = Mapping[str, Any]


def read_manifests(documents: Iterable[Any], file: str) -> list[Placement]:
    """Return the placements of all objects of a file; lists are opened."""
    manifests = [manifest for document in documents for manifest in _opened(document)]
    classes = {_name(each): _allowed_regions(each) for each in manifests if each.get("kind") == "StorageClass"}
    spaces = {_name(each): _own_annotations(each) for each in manifests if each.get("kind") == "Namespace"}
    found: list[Placement] = []
    for manifest in manifests:
        space = text_of(mapping_of(manifest.get("metadata")).get("namespace")) or "default"
        general = spaces.get(space, Annotations())
        found.extend(_read(manifest, general, classes, file))
    return found


def _opened(document: Any) -> Iterator[Manifest]:
    manifest = mapping_of(document)
    if text_of(manifest.get("kind")).endswith("List"):
        for item in list_of(manifest.get("items")):
            yield mapping_of(item)
    else:
        yield manifest


def _read(manifest: Manifest, general: Annotations, classes: Mapping[str, list[str]], file: str) -> Iterator[Placement]:
    kind = text_of(manifest.get("kind"))
    said = _own_annotations(manifest).over(general)
    spec = mapping_of(manifest.get("spec"))
    if kind in _WORKLOADS:
        yield from _workload(manifest, said, classes, file)
    elif kind == "PersistentVolumeClaim":
        yield from _places(manifest, said, _class_regions(spec, classes), Kind.STORE, file)
    elif kind == "PersistentVolume":
        affinity = mapping_of(mapping_of(spec.get("nodeAffinity")).get("required"))
        yield from _places(manifest, said, _of_terms(affinity), Kind.STORE, file)
    elif kind == "BackupStorageLocation" or kind == "VolumeSnapshotLocation":
        region = text_of(mapping_of(spec.get("config")).get("region"))
        yield from _places(manifest, said, [region] if region else [], Kind.BACKUP, file)


def _workload(
    manifest: Manifest, said: Annotations, classes: Mapping[str, list[str]], file: str
) -> Iterator[Placement]:
    template = _pod_template(manifest)
    pod = template if manifest.get("kind") == "Pod" else mapping_of(template.get("spec"))
    said = read_labels(mapping_of(template.get("metadata")).get("annotations")).over(said)
    bound = _pod_regions(pod)
    is_backup = manifest.get("kind") in ("CronJob", "Job") and any(w in _name(manifest).lower() for w in _BACKUP_WORDS)
    yield from _places(manifest, said, bound, Kind.BACKUP if is_backup else Kind.PROCESS, file)
    if is_backup:
        for region in _environment_regions(pod):
            yield from _places(manifest, replace(said, region=region), [region], Kind.BACKUP, file, "env")
    for claim in map(mapping_of, list_of(mapping_of(manifest.get("spec")).get("volumeClaimTemplates"))):
        own = _own_annotations(claim).over(said)
        regions_of_claim = _class_regions(mapping_of(claim.get("spec")), classes) or bound
        yield from _places(manifest, own, regions_of_claim, Kind.STORE, file, f"volumeClaimTemplates.{_name(claim)}")


def _places(
    manifest: Manifest, said: Annotations, bound: list[str], kind: Kind, file: str, part: str = ""
) -> Iterator[Placement]:
    """Return one placement for each region it is bound to, else for the one it is annotated with."""
    name = f"{text_of(manifest.get('kind'))} {_name(manifest)}"
    for number, region in enumerate(bound or [said.region or ""]):
        # Copies named by annotation are the same in every region.
        once = said if number == 0 else replace(said, backup_regions=(), replica_regions=())
        yield from placed(
            replace(once, region=region),
            file=file,
            resource=f"{name} ({part})" if part else name,
            kind=kind,
            provider="",
            path=part or "spec",
            line=getattr(manifest, "line", None),
        )


def _pod_template(manifest: Manifest) -> Manifest:
    spec = mapping_of(manifest.get("spec"))
    if manifest.get("kind") == "Pod":
        return spec
    if manifest.get("kind") == "CronJob":
        spec = mapping_of(mapping_of(spec.get("jobTemplate")).get("spec"))
    return mapping_of(spec.get("template"))


def _pod_regions(pod: Manifest) -> list[str]:
    selector = mapping_of(pod.get("nodeSelector"))
    chosen = [text_of(selector.get(key)) for key in _REGION if selector.get(key)]
    chosen = chosen or [regions.tidy("", text_of(selector.get(key))) for key in _ZONE if selector.get(key)]
    required = mapping_of(mapping_of(pod.get("affinity")).get("nodeAffinity"))
    return chosen or _of_terms(mapping_of(required.get("requiredDuringSchedulingIgnoredDuringExecution")))


def _of_terms(selector: Mapping[str, Any]) -> list[str]:
    """Return the regions of alternative terms: one that binds to no region leaves the place open."""
    terms = [_of_expressions(mapping_of(term)) for term in list_of(selector.get("nodeSelectorTerms"))]
    return [] if not all(terms) else list(dict.fromkeys(region for term in terms for region in term))


def _of_expressions(term: Mapping[str, Any]) -> list[str]:
    expressions = [mapping_of(each) for each in list_of(term.get("matchExpressions"))]
    for keys in (_REGION, _ZONE):
        for expression in expressions:
            if expression.get("key") in keys and expression.get("operator") == "In":
                return [regions.tidy("", text_of(value)) for value in list_of(expression.get("values"))]
    return []


def _allowed_regions(storage_class: Manifest) -> list[str]:
    found: list[str] = []
    for topology in map(mapping_of, list_of(storage_class.get("allowedTopologies"))):
        for expression in map(mapping_of, list_of(topology.get("matchLabelExpressions"))):
            if expression.get("key") in (*_REGION, *_ZONE, "topology.gke.io/zone", "topology.ebs.csi.aws.com/zone"):
                found += [regions.tidy("", text_of(value)) for value in list_of(expression.get("values"))]
    return list(dict.fromkeys(found))


def _class_regions(claim: Mapping[str, Any], classes: Mapping[str, list[str]]) -> list[str]:
    return classes.get(text_of(claim.get("storageClassName")), [])


def _environment_regions(pod: Manifest) -> list[str]:
    """Return where a backup job writes to, as far as its environment states it."""
    variables = (
        mapping_of(variable)
        for container in list_of(pod.get("containers"))
        for variable in list_of(mapping_of(container).get("env"))
    )
    return [text_of(v.get("value")) for v in variables if v.get("name") in _BUCKET_REGIONS and text_of(v.get("value"))]


def _own_annotations(manifest: Manifest) -> Annotations:
    metadata = mapping_of(manifest.get("metadata"))
    return read_labels(metadata.get("annotations")).over(read_labels(metadata.get("labels")))


def _name(manifest: Manifest) -> str:
    return text_of(mapping_of(manifest.get("metadata")).get("name")) or "without a name"
