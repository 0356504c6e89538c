"""Kind: a place that stands in another form than a region's name, or only after apply, or in what a thing is joined to.

ARNs and hosts, texts of JSON, display names of Azure, partners of a failover, unknown blocks, volumes inside of pods,
logs of containers. Beside each refusal stands the usual form that stays permitted.
"""

import json

import pytest

from policies.residency.placements import Unreadable
from tests.helpers.deployment_files import verdicts, written
from tests.helpers.terraform_plans import constant, plan, planned

PROVIDERS = {"aws": {"region": constant("eu-central-1")}, "google": {"region": constant("europe-west3")}, "azurerm": {}}
EUROPE = {"location": "westeurope"}


def refused(tmp_path, *resources):
    """Return kind and region of what is refused, and whether anything was judged."""
    judged = verdicts(written(tmp_path, plan(*resources, providers=PROVIDERS), "plan.json"))
    assert judged
    return {(kind, region) for (_, kind, region), verdict in judged.items() if verdict is not True}


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        ("aws_cloudwatch_event_target", {"arn": "arn:aws:events:us-east-1:1:event-bus/b"}),
        ("aws_sns_topic_subscription", {"endpoint": "arn:aws:sqs:us-east-1:1:q"}),
        ("aws_cloudwatch_log_subscription_filter", {"destination_arn": "arn:aws:kinesis:us-east-1:1:stream/x"}),
        ("aws_sqs_queue", {"redrive_policy": json.dumps({"deadLetterTargetArn": "arn:aws:sqs:us-east-1:1:dlq"})}),
        ("aws_dlm_lifecycle_policy", {"policy_details": [{"action": [{"target": "arn:aws:ec2:us-east-1::x"}]}]}),
        ("aws_dsql_cluster", {"multi_region_properties": [{"clusters": ["arn:aws:dsql:us-east-1:1:cluster/x"]}]}),
        ("aws_msk_replicator", {"kafka_cluster": [{"msk_cluster_arn": "arn:aws:kafka:us-east-1:1:cluster/x"}]}),
        ("aws_dms_endpoint", {"server_name": "x.abc.us-east-1.rds.amazonaws.com"}),
        ("aws_kinesis_firehose_delivery_stream", {"url": "jdbc:redshift://c.x.us-east-1.redshift.amazonaws.com:5439/d"}),
        ("aws_ecs_task_definition", {"container_definitions": '[{"environment": [{"value": "us-east-1"}]}]'}),
        ("aws_ecs_task_definition", {"container_definitions": '[{"options": {"awslogs-region": "us-east-1"}}]'}),
        ("aws_efs_replication_configuration", {"destination": [{"availability_zone_name": "us-east-1a"}]}),
        ("aws_keyspaces_keyspace", {"replication_specification": [{"region_list": ["eu-central-1", "us-east-1"]}]}),
        ("aws_ecr_replication_configuration", {"rule": [{"destination": [{"region": "us-east-1"}]}]}),
        ("aws_imagebuilder_distribution_configuration", {"distribution": [{"region": "us-east-1"}]}),
    ],
)  # fmt: skip
def test_a_place_in_an_arn_a_host_or_a_text_is_a_copy(tmp_path, kind, values):
    assert {region for _, region in refused(tmp_path, planned(f"{kind}.x", values))} == {"us-east-1"}


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        ("aws_sns_topic_subscription", {"endpoint": "arn:aws:sqs:eu-west-1:1:q"}),
        ("aws_s3_bucket", {"kms_key_arn": "arn:aws:kms:us-east-1:1:key/x"}),
        ("aws_api_gateway_domain_name", {"certificate_arn": "arn:aws:acm:us-east-1:1:certificate/x"}),
        ("aws_db_instance", {"restore_source_arn": "arn:aws:rds:us-east-1:1:snapshot:x"}),
        ("aws_lambda_function", {"image_uri": "1.dkr.ecr.us-east-1.amazonaws.com/app:1"}),
        ("aws_ecs_task_definition", {"container_definitions": '[{"image": "1.dkr.ecr.us-east-1.amazonaws.com/a"}]'}),
        ("aws_sqs_queue", {"policy": json.dumps({"Statement": [{"Condition": {"aws:RequestedRegion": "us-east-1"}}]})}),
        ("aws_ssm_parameter", {"value": "{not JSON us-east-1"}),
    ],
)
def test_what_is_only_used_or_no_place_is_no_copy(tmp_path, kind, values):
    assert refused(tmp_path, planned(f"{kind}.x", values)) == set()


@pytest.mark.parametrize(
    "values",
    [
        {"destination_volume_parameters": [{"storage_pool": "projects/p/locations/us-east1/storagePools/s"}]},
        {"secondary_disk": [{"disk": "projects/p/zones/us-east1-b/disks/d"}]},
        {"http_target": [{"uri": "https://us-east1-p.cloudfunctions.net/f"}]},
        {"push_config": [{"push_endpoint": "https://f-123.us-east1.run.app/x"}]},
        {"push_config": [{"push_endpoint": "https://x.execute-api.us-east-1.amazonaws.com/x"}]},
    ],
)
def test_a_place_in_a_path_or_host_of_google_is_a_copy(tmp_path, values):
    here = {"location": "europe-west3", **values}

    found = {region for _, region in refused(tmp_path, planned("google_cloud_scheduler_job.x", here))}

    assert found <= {"us-east1", "us-east-1"}
    assert found


def test_a_path_google_only_uses_is_no_copy(tmp_path):
    used = {
        "location": "europe-west3",
        "kms_key_name": "projects/p/locations/us-east1/keyRings/k",
        "source_disk": "zones/us-east1-b/d",
    }

    assert refused(tmp_path, planned("google_cloud_scheduler_job.x", used)) == set()


@pytest.mark.parametrize("name", ["East US", "eastus", "Qatar Central", "qatarcentral", "US Gov Virginia"])
def test_azure_is_read_by_display_names_without_a_pair_too(tmp_path, name):
    values = {**EUROPE, "target_region": [{"name": name}]}

    found = refused(tmp_path, planned("azurerm_shared_image_version.x", values))

    assert found == {("replica", name.replace(" ", "").lower())}


def test_a_name_that_is_no_region_of_azure_is_a_name(tmp_path):
    values = {**EUROPE, "site": [{"name": "east"}, {"name": "France"}, {"name": "northwind"}]}

    assert refused(tmp_path, planned("azurerm_shared_image_version.x", values)) == set()


@pytest.mark.parametrize(
    "kind",
    [
        "azurerm_resource_group_template_deployment",
        "azurerm_subscription_template_deployment",
        "azurerm_template_deployment",
    ],
)
def test_a_template_whose_resources_no_plan_holds_is_unstated(tmp_path, kind):
    assert ("process", "") in refused(tmp_path, planned(f"{kind}.x", EUROPE))


@pytest.mark.parametrize(
    ("owner", "kind", "member", "partner"),
    [
        ("azurerm_mssql_server", "azurerm_mssql_failover_group", "server_id", {"partner_server": [{"id": "/s"}]}),
        ("azurerm_eventhub_namespace", "azurerm_eventhub_namespace_disaster_recovery_config", "namespace_name",
         {"partner_namespace_id": "/namespaces/n"}),
    ],
)  # fmt: skip
def test_a_partner_outside_of_the_plan_is_unstated(tmp_path, owner, kind, member, partner):
    first = planned(f"{owner}.a", EUROPE)
    pair = planned(f"{kind}.x", partner, **{member: [f"{owner}.a.id", f"{owner}.a"]})

    assert refused(tmp_path, first, pair) == {("replica", "")}


def test_a_partner_in_the_plan_stands_where_the_plan_says(tmp_path):
    servers = [
        planned("azurerm_mssql_server.a", EUROPE),
        planned("azurerm_mssql_server.b", {"location": "northeurope"}),
    ]
    pair = planned(
        "azurerm_mssql_failover_group.x",
        {"partner_server": [{}]},
        server_id=["azurerm_mssql_server.a.id", "azurerm_mssql_server.a"],
        partner_server=[{"id": {"references": ["azurerm_mssql_server.b.id", "azurerm_mssql_server.b"]}}],
    )

    assert refused(tmp_path, *servers, pair) == set()


@pytest.mark.parametrize(
    ("kind", "member", "values"),
    [
        ("azurerm_storage_account", "account_replication_type", EUROPE),
        ("azurerm_postgresql_flexible_server", "geo_redundant_backup_enabled", EUROPE),
        ("azurerm_mssql_database", "storage_account_type", {**EUROPE, "storage_account_type": "Local"}),
        ("aws_dynamodb_table", "replica", {}),
        ("azurerm_cosmosdb_account", "geo_location", {**EUROPE, "backup": [{"type": "Continuous"}]}),
        ("azurerm_container_registry", "georeplications", EUROPE),
    ],
)
def test_copies_known_only_after_apply_are_unstated(tmp_path, kind, member, values):
    after = planned(f"{kind}.x", values, unknown={member: True}, **{member: ["var.x"]})

    assert {region for _, region in refused(tmp_path, after)} == {""}


def test_what_the_provider_fills_in_is_no_copy(tmp_path):
    computed = {"arn": True, "stream_arn": True, "primary_access_key": True}

    assert refused(tmp_path, planned("aws_dynamodb_table.x", {}, unknown=computed)) == set()
    assert refused(tmp_path, planned("azurerm_storage_account.x", EUROPE, unknown=computed)) == set()


def test_a_plan_of_a_part_is_refused_as_a_whole(tmp_path):
    bucket = planned("aws_s3_bucket.x")
    with pytest.raises(Unreadable, match="part only"):
        verdicts(written(tmp_path, plan(bucket, providers=PROVIDERS, complete=False), "plan.json"))

    assert verdicts(written(tmp_path, plan(bucket, providers=PROVIDERS, complete=True), "plan.json"))


@pytest.mark.parametrize(("mode", "expected"), [("null", 1), ('"MANAGED"', 1), ('"data"', 0), ('"ephemeral"', 0)])
def test_a_resource_of_an_unknown_mode_is_judged(tmp_path, mode, expected):
    text = plan(planned("aws_s3_bucket.x"), providers=PROVIDERS).replace('"mode": "managed"', f'"mode": {mode}')

    assert len(verdicts(written(tmp_path, text, "plan.json"))) == expected


@pytest.mark.parametrize("module", [{"resources": {"a": 1}}, {"child_modules": {"m": {}}}, {"resources": "x"}])
def test_a_module_of_an_unknown_form_is_refused(tmp_path, module):
    text = json.dumps({"terraform_version": "1.9.8", "planned_values": {"root_module": module}})

    with pytest.raises(Unreadable, match="no form"):
        verdicts(written(tmp_path, text, "plan.json"))


@pytest.mark.parametrize(("maker", "judged"), [("hashicorp", 0), ("opentofu", 0), ("acme", 1)])
def test_only_the_known_provider_of_a_name_holds_nothing(tmp_path, maker, judged):
    one = planned("random_pet.x") | {"provider": "random"}
    text = plan(one, providers=PROVIDERS).replace("hashicorp/random", f"{maker}/random")

    assert len(verdicts(written(tmp_path, text, "plan.json"))) == judged


ABOUT = "assent.example/subjects: eea, assent.example/data-categories: purchases"


def pod_with(volume, more="", labels=ABOUT):
    return f"""apiVersion: apps/v1
kind: Deployment
metadata: {{name: d, annotations: {{{labels}}}}}
spec:
  template:
    spec:
      nodeSelector: {{topology.kubernetes.io/region: eu-central-1}}
      volumes: [{volume}]
{more}"""


def refused_volumes(tmp_path, text):
    judged = verdicts(written(tmp_path, text))
    return {resource for (resource, _, _), verdict in judged.items() if verdict is not True}


@pytest.mark.parametrize(
    "volume",
    [
        "{name: v, nfs: {server: s, path: /}}",
        "{name: v, cephfs: {monitors: [a]}}",
        "{name: v, azureFile: {shareName: s, secretName: x}}",
        "{name: v, csi: {driver: file.csi.azure.com}}",
        "{name: v, ephemeral: {volumeClaimTemplate: {spec: {storageClassName: elsewhere}}}}",
        "{name: v, a_kind_of_volume_to_come: {}}",
    ],
)
def test_a_volume_a_pod_describes_itself_is_unstated(tmp_path, volume):
    assert refused_volumes(tmp_path, pod_with(volume)) == {"Deployment d (volumes.v)"}


def test_a_share_stands_where_its_object_says(tmp_path):
    volume = "{name: v, nfs: {server: s, path: /}}"

    here, there = (f"{ABOUT}, assent.example/region: {region}" for region in ("eu-west-1", "us-east-1"))

    assert refused_volumes(tmp_path, pod_with(volume, labels=here)) == set()
    assert refused_volumes(tmp_path, pod_with(volume, labels=there)) == {"Deployment d (volumes.v)"}


@pytest.mark.parametrize(
    "volume",
    [
        "{name: v, emptyDir: {}}",
        "{name: v, hostPath: {path: /x}}",
        "{name: v, configMap: {name: x}}",
        "{name: v, projected: {sources: []}}",
        "{name: v, persistentVolumeClaim: {claimName: x}}",
        "{name: v, awsElasticBlockStore: {volumeID: x}}",
        "{name: v, csi: {driver: secrets-store.csi.k8s.io}}",
        "{name: v, ephemeral: {volumeClaimTemplate: {spec: {}}}}",
    ],
)
def test_a_volume_on_the_node_stands_with_its_pod(tmp_path, volume):
    assert refused_volumes(tmp_path, pod_with(volume)) == set()


def test_an_ephemeral_claim_is_placed_by_its_class(tmp_path):
    volume = "{name: v, ephemeral: {volumeClaimTemplate: {spec: {storageClassName: fast}}}}"
    made_in = """---
apiVersion: storage.k8s.io/v1
kind: StorageClass
metadata: {name: fast}
allowedTopologies: [{matchLabelExpressions: [{key: topology.kubernetes.io/zone, values: [%s]}]}]
"""

    assert refused_volumes(tmp_path, pod_with(volume, made_in % "eu-west-1a")) == set()
    assert refused_volumes(tmp_path, pod_with(volume, made_in % "us-east-1a")) == {"Deployment d (volumes.v)"}


@pytest.mark.parametrize(
    ("zone", "expected"), [("us-east-1a", {"Deployment d"}), ("eu-central-1a", set()), ("rack-7", set())]
)
def test_a_zone_of_another_region_than_the_label_is_judged(tmp_path, zone, expected):
    text = pod_with("{name: v, emptyDir: {}}").replace(
        "eu-central-1}", f"eu-central-1, topology.kubernetes.io/zone: {zone}}}"
    )

    assert refused_volumes(tmp_path, text) == expected


def with_environment(variable):
    container = "      containers: [{name: c, image: i, env: [" + variable + "]}]\n"
    return pod_with("{name: v, emptyDir: {}}", container)


@pytest.mark.parametrize(
    ("variable", "expected"),
    [
        ("{name: AWS_REGION, value: us-east-1}", {"Deployment d (env)"}),
        ("{name: AWS_REGION, value: eu-west-1}", set()),
        ("{name: AWS_REGION, valueFrom: {configMapKeyRef: {name: c, key: k}}}", set()),
        ("{name: SALES_REGION, value: north}", set()),
    ],
)
def test_a_region_a_pod_works_with_is_judged(tmp_path, variable, expected):
    assert refused_volumes(tmp_path, with_environment(variable)) == expected


def test_a_service_that_leads_to_a_host_elsewhere_is_judged(tmp_path):
    text = "apiVersion: v1\nkind: Service\nmetadata: {name: d, annotations: {%s}}\nspec: {externalName: %s}\n"

    assert refused_volumes(tmp_path, text % (ABOUT, "db.x.us-east-1.rds.amazonaws.com")) == {"Service d (externalName)"}
    assert refused_volumes(tmp_path, text % (ABOUT, "db.x.eu-west-1.rds.amazonaws.com")) == set()
    assert refused_volumes(tmp_path, text % (ABOUT, "db.example.org")) == {"Service d"}


COMPOSE = "x-assent: {subjects: eea, data-categories: purchases, region: eu-central-1}\n"


@pytest.mark.parametrize(
    ("text", "resource"),
    [
        ("volumes: {v: {driver_opts: {type: fuse.sshfs, device: 'u@h:/x'}}}", "volume v"),
        ("volumes: {v: {driver_opts: {type: ceph, device: 'h:/x'}}}", "volume v"),
        ("volumes: {v: {driver_opts: {type: NFS, device: ':/x'}}}", "volume v"),
        ("volumes: {v: {external: true}}", "volume v"),
        ("models: {m: {model: ai/x, x-assent: {region: us-east-1}}}", "model m"),
    ],
)
def test_what_compose_keeps_elsewhere_is_not_where_its_services_are(tmp_path, text, resource):
    assert refused_volumes(tmp_path, f"{COMPOSE}services: {{a: {{image: x, volumes: ['v:/d']}}}}\n{text}\n") == {
        resource
    }


@pytest.mark.parametrize(
    "text",
    [
        "volumes: {v: {}}",
        "volumes: {v: {external: false}}",
        "volumes: {v: {external: true, labels: {assent.region: eu-west-1}}}",
        "volumes: {v: {driver_opts: {type: none, o: bind, device: /srv}}}",
        "volumes: {v: {driver_opts: {type: tmpfs, device: tmpfs}}}",
        "models: {m: {model: ai/x}}",
    ],
)
def test_what_compose_keeps_on_the_machine_is(tmp_path, text):
    assert refused_volumes(tmp_path, f"{COMPOSE}services: {{a: {{image: x, volumes: ['v:/d']}}}}\n{text}\n") == set()


@pytest.mark.parametrize(
    ("service", "expected"),
    [
        ("logging: {driver: awslogs, options: {awslogs-region: us-east-1}}", {"service a (logging)"}),
        ("logging: {driver: awslogs, options: {awslogs-region: '${R}'}}", {"service a (logging)"}),
        ("logging: {driver: awslogs, options: {awslogs-region: eu-west-1}}", set()),
        ("logging: {driver: json-file, options: {max-size: 10m}}", set()),
        ("environment: {AWS_REGION: us-east-1}", {"service a (environment)"}),
        ("environment: ['AWS_REGION=us-east-1', 'X']", {"service a (environment)"}),
        ("environment: {AWS_REGION: '${R:-eu-west-1}', SALES_REGION: north, REGION: null}", set()),
        ("annotations: {assent.region: us-east-1}", {"service a"}),
        ("annotations: {com.example: us-east-1}", set()),
    ],
)
def test_where_a_service_sends_to_is_judged(tmp_path, service, expected):
    assert refused_volumes(tmp_path, f"{COMPOSE}services: {{a: {{image: x, {service}}}}}\n") == expected
