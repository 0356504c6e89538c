"""Kinds of objects: which run pods, which hold nothing, and whose cloud the objects of an API group describe.

A kind is a name within an API group: a ``Job`` of another group is another kind. What is in no list is judged.
"""

from collections.abc import Mapping
from typing import Any

from policies.residency.placements import mapping_of, text_of

_WORKLOADS = {
    "": ("Pod", "ReplicationController"),
    "apps": ("Deployment", "StatefulSet", "DaemonSet", "ReplicaSet"),
    "batch": ("Job", "CronJob"),
}
# Objects of the cluster itself and of its network. Whatever data a ConfigMap or a Secret holds is where the cluster is.
_HOLDS_NOTHING = {
    "": ("Namespace", "Service", "ServiceAccount", "ConfigMap", "Secret", "LimitRange", "ResourceQuota", "Endpoints",
         "Event", "Node"),
    "apps": ("ControllerRevision",),
    "storage.k8s.io": ("StorageClass", "CSIDriver", "VolumeAttributesClass"),
    "snapshot.storage.k8s.io": ("VolumeSnapshotClass",),
    "extensions": ("Ingress", "NetworkPolicy"),
    "keda.sh": ("ScaledObject", "TriggerAuthentication", "ClusterTriggerAuthentication"),
    "monitoring.coreos.com": ("ServiceMonitor", "PodMonitor", "PrometheusRule", "Probe", "ScrapeConfig"),
}  # fmt: skip
_HARMLESS_GROUPS = frozenset(
    {"rbac.authorization.k8s.io", "networking.k8s.io", "policy", "autoscaling", "apiextensions.k8s.io",
     "admissionregistration.k8s.io", "scheduling.k8s.io", "coordination.k8s.io", "node.k8s.io", "discovery.k8s.io",
     "apiregistration.k8s.io", "flowcontrol.apiserver.k8s.io", "authentication.k8s.io", "authorization.k8s.io",
     "certificates.k8s.io", "gateway.networking.k8s.io", "cert-manager.io", "cilium.io", "projectcalico.org",
     "crd.projectcalico.org", "route.openshift.io", "networking.istio.io", "security.istio.io", "traefik.io"}
)  # fmt: skip
# Volumes of a pod that lie on its node, or are an object of their own.
_NODE_VOLUMES = frozenset(
    {"name", "emptyDir", "configMap", "secret", "downwardAPI", "projected", "hostPath", "persistentVolumeClaim",
     "image", "gitRepo", "ephemeral", "awsElasticBlockStore", "gcePersistentDisk", "azureDisk"}
)  # fmt: skip
_NO_DATA_DRIVERS = ("secrets-store.csi.k8s.io", "csi.spiffe.io", "csi.cert-manager.io")
_CLOUDS = {
    "cnrm.cloud.google.com": "google",
    "gcp.upbound.io": "google",
    "gcp.crossplane.io": "google",
    "aws.upbound.io": "aws",
    "aws.crossplane.io": "aws",
    "services.k8s.aws": "aws",
    "azure.upbound.io": "azurerm",
    "azure.crossplane.io": "azurerm",
    "azure.com": "azurerm",
}


def group_of(manifest: Mapping[str, Any]) -> str:
    """Return the API group; that of ``v1`` is empty."""
    return text_of(manifest.get("apiVersion")).rpartition("/")[0]


def runs_pods(manifest: Mapping[str, Any]) -> bool:
    return text_of(manifest.get("kind")) in _WORKLOADS.get(group_of(manifest), ())


def holds_nothing(manifest: Mapping[str, Any]) -> bool:
    """Return whether a kind is known to neither hold data nor work on it."""
    group, kind = group_of(manifest), text_of(manifest.get("kind"))
    return bool(kind) and (group in _HARMLESS_GROUPS or kind in _HOLDS_NOTHING.get(group, ()))


def is_remote(volume: Mapping[str, Any]) -> bool:
    """Return whether a volume of a pod lies on another machine than its node, as far as is known."""
    driver = text_of(mapping_of(volume.get("csi")).get("driver"))
    return bool(set(volume) - _NODE_VOLUMES) and driver not in _NO_DATA_DRIVERS


def is_core(manifest: Mapping[str, Any], kind: str, group: str = "") -> bool:
    return text_of(manifest.get("kind")) == kind and group_of(manifest) == group


def cloud_of(manifest: Mapping[str, Any]) -> str:
    """Return the cloud whose resource a custom object describes, empty where it is none."""
    group = group_of(manifest)
    return next((cloud for end, cloud in _CLOUDS.items() if group == end or group.endswith(f".{end}")), "")


def spec_of(manifest: Mapping[str, Any]) -> Mapping[str, Any]:
    return mapping_of(manifest.get("spec"))
