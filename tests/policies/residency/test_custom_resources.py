"""Kinds: an object of a kind that is not known, an object inside of lists, and what binds outside of the object."""

import pytest
import yaml

from policies.residency.placements import Unreadable
from policies.residency.reading import read_files
from tests.helpers.deployment_files import verdicts, written

ABOUT = {"assent.example/subjects": "eea", "assent.example/data-categories": "purchases"}
VIRGINIA = {"nodeSelector": {"topology.kubernetes.io/region": "us-east-1"}}
PODS = {"template": {"spec": {**VIRGINIA, "containers": [{"name": "a", "image": "a"}]}}}


def manifest(kind, api, spec, **annotations):
    about = {**ABOUT, **{f"assent.example/{key.replace('_', '-')}": value for key, value in annotations.items()}}
    return {"apiVersion": api, "kind": kind, "metadata": {"name": "x", "annotations": about}, "spec": spec}


def judged(tmp_path, *manifests):
    return verdicts(written(tmp_path, yaml.safe_dump_all(manifests)))


def regions(tmp_path, *manifests):
    return {(kind, region) for _, kind, region in judged(tmp_path, *manifests)}


@pytest.mark.parametrize(
    ("kind", "api", "spec", "region"),
    [
        ("Cluster", "postgresql.cnpg.io/v1", {"instances": 3, "affinity": VIRGINIA}, "us-east-1"),
        ("Instance", "rds.aws.upbound.io/v1beta1", {"forProvider": {"region": "us-east-1"}}, "us-east-1"),
        ("StorageBucket", "storage.cnrm.cloud.google.com/v1beta1", {"location": "US"}, "us"),
        ("Rollout", "argoproj.io/v1alpha1", PODS, "us-east-1"),
        ("DeploymentConfig", "apps.openshift.io/v1", PODS, "us-east-1"),
        ("Deployment", "extensions/v1beta1", PODS, "us-east-1"),
        ("Bucket", "s3.services.k8s.aws/v1alpha1", {"location": "us-east-1"}, "us-east-1"),
        ("StorageAccount", "storage.azure.com/v1", {"location": "eastus"}, "eastus"),
        ("XDatabase", "platform.example/v1", {"parameters": {"region": "us-east-1"}}, "us-east-1"),
        ("Service", "serving.knative.dev/v1", PODS, "us-east-1"),
        ("Job", "batch.volcano.sh/v1alpha1", PODS, "us-east-1"),
    ],
)
def test_a_custom_resource_is_judged_by_its_own_words(tmp_path, kind, api, spec, region):
    found = judged(tmp_path, manifest(kind, api, spec, region="eu-central-1"))

    assert found == {(f"{kind} x", "process", region): ["residency"]}


@pytest.mark.parametrize(
    ("kind", "api", "spec"),
    [
        ("Cluster", "postgresql.cnpg.io/v1", {"instances": 3}),
        ("Instance", "rds.aws.upbound.io/v1beta1", {"forProvider": {"engine": "postgres"}}),
        ("Application", "argoproj.io/v1alpha1", {"source": {"path": "x"}}),
        ("HelmRelease", "helm.toolkit.fluxcd.io/v2", {"chart": {}}),
        ("Kustomization", "kustomize.config.k8s.io/v1beta1", {}),
        ("ScaledJob", "keda.sh/v1alpha1", {"jobTargetRef": {"template": {"spec": {}}}}),
        ("SparkApplication", "sparkoperator.k8s.io/v1beta2", {"driver": {}, "executor": {}}),
        ("Anything", "example.org/v1", {}),
    ],
)
def test_a_kind_that_states_no_place_is_named_and_refused(tmp_path, kind, api, spec):
    thing = manifest(kind, api, spec)

    assert judged(tmp_path, thing) == {(f"{kind} x", "process", ""): ["region_unstated"]}
    assert judged(tmp_path, manifest(kind, api, spec, region="eu-central-1")) == {
        (f"{kind} x", "process", "eu-central-1"): True
    }


@pytest.mark.parametrize(
    ("kind", "api"),
    [
        ("Service", "v1"),
        ("ConfigMap", "v1"),
        ("Role", "rbac.authorization.k8s.io/v1"),
        ("Ingress", "networking.k8s.io/v1"),
        ("PodDisruptionBudget", "policy/v1"),
        ("CustomResourceDefinition", "apiextensions.k8s.io/v1"),
        ("ServiceMonitor", "monitoring.coreos.com/v1"),
    ],
)
def test_a_kind_known_to_hold_nothing_is_judged_if_annotated(tmp_path, kind, api):
    plain = {**manifest(kind, api, {}), "metadata": {"name": "x"}}

    assert judged(tmp_path, plain) == {}
    assert judged(tmp_path, manifest(kind, api, {}, region="us-east-1")) == {
        (f"{kind} x", "store", "us-east-1"): ["residency"]
    }


@pytest.mark.parametrize(
    ("spec", "copy"),
    [
        ({"replicas": [{"region": "us-east-1"}]}, ("replica", "us-east-1")),
        ({"executor": {"nodeSelector": {"topology.kubernetes.io/zone": "eastus-1"}}}, ("replica", "eastus")),
        ({"backup": {"barmanObjectStore": {"destinationPath": "s3://far"}}}, ("backup", "")),
        ({"backup": {"store": {"endpointURL": "https://s3.us-east-1.amazonaws.com"}}}, ("backup", "us-east-1")),
        ({"template": {"spec": {"containers": [{"env": [{"value": "us-east-1"}]}]}}}, ("replica", "us-east-1")),
    ],
)  # fmt: skip
def test_other_places_of_a_custom_resource_are_judged(tmp_path, spec, copy):
    found = regions(tmp_path, manifest("Cluster", "postgresql.cnpg.io/v1", {**spec, "region": "eu-central-1"}))

    assert found == {("process", "eu-central-1"), copy}


def test_a_bucket_for_backups_can_be_stated(tmp_path):
    spec = {"region": "eu-central-1", "backup": {"destinationPath": "s3://near"}}

    found = regions(tmp_path, manifest("Cluster", "postgresql.cnpg.io/v1", spec, backup_regions="eu-west-1"))

    assert found == {("process", "eu-central-1"), ("backup", "eu-west-1")}


def test_geo_redundant_custom_resources_have_a_copy(tmp_path):
    spec = {"location": "brazilsouth", "sku": {"name": "Standard_GRS"}}

    found = regions(tmp_path, manifest("StorageAccount", "storage.azure.com/v1", spec))

    assert found == {("process", "brazilsouth"), ("replica", "southcentralus")}


def test_what_nodes_must_not_or_may_be_is_no_place(tmp_path):
    expression = {"key": "topology.kubernetes.io/region", "operator": "NotIn", "values": ["us-east-1"]}
    rather = {"matchExpressions": [{"key": "topology.kubernetes.io/region", "operator": "In", "values": ["us-east-1"]}]}
    affinity = {
        "requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [{"matchExpressions": [expression]}]},
        "preferredDuringSchedulingIgnoredDuringExecution": [{"weight": 1, "preference": rather}],
    }
    spec = {"template": {"spec": {"affinity": {"nodeAffinity": affinity}}}}

    found = regions(tmp_path, manifest("Rollout", "argoproj.io/v1alpha1", spec, region="eu-central-1"))

    assert found == {("process", "eu-central-1")}


DEPLOYMENT = manifest("Deployment", "apps/v1", PODS)


def _list(*items, kind="List", api="v1"):
    return {"apiVersion": api, "kind": kind, "items": list(items)}


@pytest.mark.parametrize(
    "document",
    [
        _list(DEPLOYMENT),
        _list(_list(DEPLOYMENT)),
        _list(_list(_list(), _list(DEPLOYMENT))),
        _list(DEPLOYMENT, kind="DeploymentList", api="apps/v1"),
        _list({key: DEPLOYMENT[key] for key in ("metadata", "spec")}, kind="DeploymentList", api="apps/v1"),
    ],
)
def test_lists_are_opened_to_the_last(tmp_path, document):
    assert judged(tmp_path, document) == {("Deployment x", "process", "us-east-1"): ["residency"]}


def test_a_kind_that_only_ends_like_a_list_is_judged(tmp_path):
    assert judged(tmp_path, manifest("AllowList", "example.org/v1", {"region": "us-east-1"})) == {
        ("AllowList x", "process", "us-east-1"): ["residency"]
    }


def test_items_that_are_no_objects_are_named(tmp_path):
    found = judged(tmp_path, _list(3, "text", {}))

    assert list(found) == [("object without a kind", "process", "")]


def test_lists_without_end_are_refused(tmp_path):
    document = DEPLOYMENT
    for _ in range(20):
        document = _list(document)

    with pytest.raises(Unreadable, match="too deeply"):
        judged(tmp_path, document)


@pytest.mark.parametrize(
    ("zone", "region"),
    [
        ("westeurope-1", "westeurope"),
        ("germanywestcentral-3", "germanywestcentral"),
        ("eu-central-1b", "eu-central-1"),
        ("europe-west3-b", "europe-west3"),
        ("zone-1", "zone-1"),
        ("1", "1"),
    ],
)
@pytest.mark.parametrize(
    "key", ["topology.kubernetes.io/zone", "topology.disk.csi.azure.com/zone", "topology.ebs.csi.aws.com/zone"]
)
def test_zones_of_every_cloud_bind_nodes_and_volumes(tmp_path, key, zone, region):
    terms = [{"matchExpressions": [{"key": key, "operator": "In", "values": [zone]}]}]
    required = {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": terms}}}
    found = judged(
        tmp_path,
        manifest("StatefulSet", "apps/v1", {"template": {"spec": {"affinity": required}}}),
        manifest("PersistentVolume", "v1", {"nodeAffinity": {"required": {"nodeSelectorTerms": terms}}}),
    )

    known = True if region not in ("zone-1", "1") else ["region_unknown"]
    assert found == {("StatefulSet x", "process", region): known, ("PersistentVolume x", "store", region): known}


def _terms(*expressions):
    terms = [{"matchExpressions": [each]} for each in expressions]
    required = {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": terms}}
    return {"template": {"spec": {"affinity": {"nodeAffinity": required}, "containers": [{"image": "a"}]}}}


def test_a_term_that_leaves_the_place_open_binds_nothing(tmp_path):
    here = {"key": "topology.kubernetes.io/region", "operator": "In", "values": ["eu-central-1"]}
    disks = {"key": "disktype", "operator": "In", "values": ["ssd"]}

    stated = judged(tmp_path, manifest("Deployment", "apps/v1", _terms(here, disks), region="eu-central-1"))
    left_open = judged(tmp_path, manifest("Deployment", "apps/v1", _terms(here, disks)))
    excluded = judged(tmp_path, manifest("Deployment", "apps/v1", _terms({**here, "operator": "NotIn"})))

    assert stated == {("Deployment x", "process", "eu-central-1"): True}
    assert left_open == excluded == {("Deployment x", "process", ""): ["region_unstated"]}


CLASS = {
    "apiVersion": "storage.k8s.io/v1",
    "kind": "StorageClass",
    "metadata": {"name": "far"},
    "allowedTopologies": [
        {"matchLabelExpressions": [{"key": "topology.kubernetes.io/zone", "values": ["us-east-1a"]}]}
    ],
}  # fmt: skip
CLAIM = manifest("PersistentVolumeClaim", "v1", {"storageClassName": "far"}, region="eu-central-1")
DATABASE = manifest(
    "StatefulSet",
    "apps/v1",
    {
        "template": {"spec": {"nodeSelector": {"topology.kubernetes.io/region": "eu-central-1"}}},
        "volumeClaimTemplates": [{"metadata": {"name": "d"}, "spec": {"storageClassName": "far"}}],
    },
)


@pytest.mark.parametrize(
    "storage_class",
    [
        CLASS,
        {**CLASS, "allowedTopologies": [], "parameters": {"zones": "us-east-1a, us-east-1b"}},
        {**CLASS, "allowedTopologies": [], "parameters": {"location": "eastus"}},
    ],
    ids=["topology", "zones", "location"],
)
def test_a_storage_class_of_another_file_is_known(tmp_path, storage_class):
    claims = written(tmp_path, yaml.safe_dump_all([CLAIM, DATABASE]), "claims.yaml")
    classes = written(tmp_path, yaml.safe_dump(storage_class), "classes.yaml")

    found = read_files([claims, classes])

    stores = {each.region for each in found[claims] if each.kind == "store"}
    assert stores in ({"us-east-1"}, {"eastus"})
    assert found[classes] == []


def test_a_storage_class_of_no_file_is_unstated(tmp_path):
    found = judged(tmp_path, DATABASE)

    assert found[("StatefulSet x (volumeClaimTemplates.d)", "store", "")] == ["region_unstated"]
    assert judged(tmp_path, CLAIM) == {("PersistentVolumeClaim x", "store", "eu-central-1"): True}


def test_a_region_of_the_namespace_says_nothing_of_a_class(tmp_path):
    space = {**manifest("Namespace", "v1", {}, region="eu-central-1")}
    claim = manifest("PersistentVolumeClaim", "v1", {"storageClassName": "far"})
    claim["metadata"]["namespace"] = "x"

    assert judged(tmp_path, space, claim) == {("PersistentVolumeClaim x", "store", ""): ["region_unstated"]}


def test_a_claim_of_a_volume_lies_where_the_volume_lies(tmp_path):
    terms = [{"matchExpressions": [{"key": "topology.kubernetes.io/zone", "operator": "In", "values": ["us-east-1a"]}]}]
    volume = manifest("PersistentVolume", "v1", {"nodeAffinity": {"required": {"nodeSelectorTerms": terms}}})
    handle = manifest("PersistentVolume", "v1", {"csi": {"volumeHandle": "projects/p/zones/us-east1-b/disks/d"}})
    claim = manifest("PersistentVolumeClaim", "v1", {"volumeName": "x"}, region="eu-central-1")

    assert ("PersistentVolumeClaim x", "store", "us-east-1") in judged(tmp_path, volume, claim)
    assert ("PersistentVolumeClaim x", "store", "us-east1") in judged(tmp_path, handle, claim)


def test_a_geo_redundant_class_has_a_copy(tmp_path):
    storage_class = {
        **CLASS,
        "allowedTopologies": [],
        "parameters": {"location": "brazilsouth", "skuName": "Standard_GRS"},
    }

    found = regions(tmp_path, storage_class, CLAIM)

    assert found == {("store", "brazilsouth"), ("replica", "southcentralus")}


@pytest.mark.parametrize(
    ("variable", "region"),
    [
        ({"name": "AWS_REGION", "value": "us-east-1"}, "us-east-1"),
        ({"name": "S3_REGION", "value": "us-east-1"}, "us-east-1"),
        ({"name": "AWS_REGION", "value": "$(HOME_REGION)"}, ""),
        ({"name": "AWS_REGION", "valueFrom": {"secretKeyRef": {"name": "s", "key": "r"}}}, ""),
    ],
)
def test_a_backup_job_writes_where_its_variables_say(tmp_path, variable, region):
    pods = {"template": {"spec": {"containers": [{"image": "a", "env": [variable]}]}}}
    job = manifest("CronJob", "batch/v1", {"jobTemplate": {"spec": pods}}, region="eu-central-1")
    job["metadata"]["name"] = "nightly-dump"

    assert regions(tmp_path, job) == {("backup", "eu-central-1"), ("backup", region)}
    if not region:
        job["metadata"]["annotations"]["assent.example/backup-regions"] = "eu-west-1"
        assert regions(tmp_path, job) == {("backup", "eu-central-1"), ("backup", "eu-west-1")}
