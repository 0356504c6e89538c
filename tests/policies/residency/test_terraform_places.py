"""Kind: a place under another name, or under none. The provider's region stands only for what is known to take it."""

import pytest

from tests.helpers.deployment_files import verdicts, written
from tests.helpers.terraform_plans import constant, plan, planned

PROVIDERS = {
    "aws": {"region": constant("eu-central-1")},
    "google": {"region": constant("europe-west3"), "zone": constant("europe-west3-a")},
    "azurerm": {},
}


def judged(tmp_path, *resources):
    found = verdicts(written(tmp_path, plan(*resources, providers=PROVIDERS), "plan.json"))
    return {
        (address.rpartition("module.")[2], kind, region): verdict for (address, kind, region), verdict in found.items()
    }


def places(tmp_path, *resources):
    return {(kind, region) for _, kind, region in judged(tmp_path, *resources)}


@pytest.mark.parametrize(
    ("kind", "values", "expected"),
    [
        ("google_firestore_database", {"location_id": "nam5"}, {("store", "nam5")}),
        ("google_app_engine_application", {"location_id": "us-central"}, {("process", "us-central")}),
        ("google_bigtable_instance", {"cluster": [{"zone": "us-central1-b"}]}, {("store", "us-central1")}),
        (
            "google_bigtable_instance",
            {"cluster": [{"zone": "europe-west1-b"}, {"zone": "us-east1-b"}]},
            {("store", "europe-west1"), ("replica", "us-east1")},
        ),
        (
            "google_pubsub_topic",
            {"message_storage_policy": [{"allowed_persistence_regions": ["us-east1"]}]},
            {("store", "us-east1")},
        ),
        ("google_pubsub_topic", {}, {("store", "")}),
        ("google_secret_manager_secret", {"replication": [{"automatic": True}]}, {("store", "global")}),
        ("google_secret_manager_secret", {"replication": [{"auto": [{}]}]}, {("store", "global")}),
        (
            "google_secret_manager_secret",
            {"replication": [{"user_managed": [{"replicas": [{"location": "us-east1"}]}]}]},
            {("store", "us-east1")},
        ),
        (
            "google_storage_bucket",
            {"location": "EU", "custom_placement_config": [{"data_locations": ["EUROPE-WEST1", "US-EAST1"]}]},
            {("store", "eu"), ("replica", "europe-west1"), ("replica", "us-east1")},
        ),
        (
            "google_bigtable_table",
            {"automated_backup_policy": [{"locations": ["projects/p/locations/us-east1"]}]},
            {("store", ""), ("backup", "us-east1")},
        ),
        ("google_bigquery_dataset", {"location": "US"}, {("store", "us")}),
        ("google_container_cluster", {"location": "us-east1-b"}, {("process", "us-east1")}),
        ("google_compute_instance", {"zone": "us-east4-c"}, {("process", "us-east4")}),
        ("google_sql_database_instance", {"region": "us-east1"}, {("store", "us-east1")}),
        ("google_compute_snapshot", {"zone": "europe-west3-a", "storage_locations": ["us"]},
         {("backup", "europe-west3"), ("replica", "us")}),
        ("google_alloydb_instance", {"cluster": "projects/p/locations/us-east1/clusters/c"}, {("store", "us-east1")}),
        ("google_redis_instance", {}, {("store", "europe-west3")}),
        ("google_compute_disk", {}, {("store", "europe-west3")}),
        ("google_brand_new", {}, {("process", "")}),
    ],
)  # fmt: skip
def test_google_places_stand_under_many_names(tmp_path, kind, values, expected):
    assert places(tmp_path, planned(f"{kind}.x", values)) == expected


@pytest.mark.parametrize(
    ("part", "member", "owner", "values"),
    [
        ("google_sql_database", "instance", "google_sql_database_instance", {"region": "us-east1"}),
        ("google_container_node_pool", "cluster", "google_container_cluster", {"location": "us-east1"}),
        ("google_bigquery_table", "dataset_id", "google_bigquery_dataset", {"location": "us-east1"}),
        ("google_storage_bucket_object", "bucket", "google_storage_bucket", {"location": "us-east1"}),
        ("google_bigtable_table", "instance_name", "google_bigtable_instance", {"cluster": [{"zone": "us-east1-b"}]}),
        ("google_spanner_database", "instance", "google_spanner_instance", {"config": "regional-us-east1"}),
        ("azurerm_mssql_job_database", "server_id", "azurerm_mssql_server", {"location": "eastus"}),
        ("azurerm_eventhub", "namespace_name", "azurerm_eventhub_namespace", {"location": "eastus"}),
        ("azurerm_storage_blob", "storage_account_name", "azurerm_storage_account", {"location": "eastus"}),
    ],
)
def test_a_part_stands_where_its_owner_stands(tmp_path, part, member, owner, values):
    owners, inside = planned(f"{owner}.o", values), f"{part}.p"

    found = judged(tmp_path, owners, planned(inside, about={}, **{member: [f"{owner}.o.name", f"{owner}.o"]}))
    alone = judged(tmp_path, planned(inside))

    region = next(region for address, _, region in found if address == f"{owner}.o")
    assert {(region, tuple(v)) for (address, _, region), v in found.items() if address == inside} == {
        (region, ("residency",))
    }
    assert list(alone.values()) == [["region_unstated"]]


def _two_buckets(**expressions):
    buckets = [
        planned('google_storage_bucket.b["eu"]', {"location": "EU"}),
        planned('google_storage_bucket.b["us"]', {"location": "US"}),
    ]
    return [*buckets, *(planned(f'google_storage_bucket_object.o["{key}"]', **expressions) for key in ("eu", "us"))]


@pytest.mark.parametrize(
    ("named", "regions"),
    [
        (["google_storage_bucket.b", "each.key"], ("eu", "us")),
        (['google_storage_bucket.b["us"].id', 'google_storage_bucket.b["us"]'], ("us", "us")),
        (["google_storage_bucket.b", "each.value.home", "each.value"], ("", "")),
        (["google_storage_bucket.b", "var.home"], ("", "")),
        (["google_storage_bucket.missing", "each.key"], ("", "")),
        (["var.bucket"], ("", "")),
    ],
)  # fmt: skip
def test_an_owner_is_the_instance_that_is_meant(tmp_path, named, regions):
    found = judged(tmp_path, *_two_buckets(bucket=named))

    for key, region in zip(("eu", "us"), regions, strict=True):
        assert (f'google_storage_bucket_object.o["{key}"]', "store", region) in found


def test_module_instances_have_owners_of_their_own(tmp_path):
    found = judged(
        tmp_path,
        planned('module.m["eu"].google_storage_bucket.b', {"location": "EU"}),
        planned('module.m["us"].google_storage_bucket.b', {"location": "US"}),
        planned(
            'module.m["us"].google_storage_bucket_object.o',
            bucket=["google_storage_bucket.b.name", "google_storage_bucket.b"],
        ),
    )  # fmt: skip

    assert found[('m["us"].google_storage_bucket_object.o', "store", "us")] == ["residency"]


def _replication(*named):
    rule = [{"destination": [{"bucket": {"references": list(named)}, "encryption_configuration": [
        {"replica_kms_key_id": {"references": ["aws_kms_key.k.arn", "aws_kms_key.k"]}}]}]}]  # fmt: skip
    values = {"rule": [{"destination": [{}]}]}
    return planned(
        'aws_s3_bucket_replication_configuration.r["us"]', values, unknown={"rule": [{"destination": [{}]}]}, rule=rule
    )


@pytest.mark.parametrize(
    ("named", "region"),
    [
        (["aws_s3_bucket.copy", "each.key"], "us-east-1"),
        (['aws_s3_bucket.copy["eu"].arn', 'aws_s3_bucket.copy["eu"]', "aws_s3_bucket.copy"], "eu-west-1"),
        (["aws_s3_bucket.copy", "each.value"], ""),
        (["var.dr", 'aws_s3_bucket.copy["eu"].arn', 'aws_s3_bucket.copy["eu"]', "aws_s3_bucket.copy"], ""),
    ],
)
def test_a_replica_is_the_instance_that_is_meant(tmp_path, named, region):
    copies = [
        planned('aws_s3_bucket.copy["eu"]', {"region": "eu-west-1"}),
        planned('aws_s3_bucket.copy["us"]', {"region": "us-east-1"}),
    ]

    found = judged(tmp_path, *copies, planned("aws_kms_key.k"), _replication(*named))

    assert ('aws_s3_bucket_replication_configuration.r["us"]', "replica", region) in found


def test_a_replica_holds_the_data_of_its_source(tmp_path):
    found = judged(
        tmp_path,
        planned("aws_db_instance.main", {"availability_zone": "eu-central-1a"}),
        planned(
            "aws_db_instance.far",
            {"availability_zone": "us-east-1a", "replicate_source_db": "main"},
            about={},
            replicate_source_db=["aws_db_instance.main.identifier", "aws_db_instance.main"],
        ),
    )

    assert found[("aws_db_instance.far", "replica", "us-east-1")] == ["residency"]


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        ("aws_cloudfront_distribution", {"price_class": "PriceClass_All"}),
        ("aws_globalaccelerator_accelerator", {}),
        ("aws_dynamodb_global_table", {}),
        ("aws_rds_global_cluster", {}),
        ("aws_route53profiles_profile", {}),
        ("azurerm_cdn_frontdoor_profile", {"sku_name": "Standard_AzureFrontDoor"}),
        ("azurerm_cdn_profile", {"location": "westeurope"}),
        ("azurerm_frontdoor", {"location": "westeurope"}),
        ("google_compute_backend_bucket", {"enable_cdn": True}),
    ],
)
def test_a_global_service_is_in_no_region(tmp_path, kind, values):
    found = judged(tmp_path, planned(f"{kind}.g", values))
    about = {"assent-subjects": "eea", "assent-region": "eu-central-1" if kind.startswith("aws") else "EU"}

    assert found[(f"{kind}.g", "process", "")] == ["region_unstated"]
    if not kind.startswith("azurerm"):
        assert set(judged(tmp_path, planned(f"{kind}.g", values, about=about)).values()) == {True}


@pytest.mark.parametrize(
    ("kind", "values", "expected"),
    [
        ("communication_service", {"data_location": "United States"}, {("process", "unitedstates")}),
        ("communication_service", {"data_location": "Germany"}, {("process", "germany")}),
        ("aadb2c_directory", {"data_residency_location": "United States"}, {("process", "unitedstates")}),
        ("aadb2c_directory", {"data_residency_location": "Global"}, {("process", "global")}),
        ("communication_service", {}, {("process", "")}),
    ],
)
def test_azure_keeps_data_where_it_is_said_to(tmp_path, kind, values, expected):
    group = planned("azurerm_resource_group.r", {"location": "westeurope"})
    named = ["azurerm_resource_group.r.name", "azurerm_resource_group.r"]

    assert places(tmp_path, group, planned(f"azurerm_{kind}.c", values, resource_group_name=named)) == expected


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        ("mssql_managed_instance", {"storage_account_type": "GRS"}),
        ("mssql_managed_instance", {}),
        ("mssql_database", {"storage_account_type": "GeoZone"}),
        ("data_protection_backup_vault", {"redundancy": "GeoRedundant"}),
        ("recovery_services_vault", {"cross_region_restore_enabled": True, "storage_mode_type": "LocallyRedundant"}),
        ("postgresql_flexible_server", {"geo_redundant_backup_enabled": True}),
        ("cosmosdb_account", {"backup": [{"type": "Periodic", "storage_redundancy": "Geo"}]}),
        ("cosmosdb_account", {}),
        ("synapse_sql_pool", {"storage_account_type": "GRS"}),
        ("brand_new_store", {"sku": [{"name": "Standard_RAGRS"}]}),
        ("brand_new_store", {"backup_policy": [{"redundancy": "GeoRedundant"}]}),
    ],
)
def test_azure_backups_go_to_the_paired_region(tmp_path, kind, values):
    found = places(tmp_path, planned(f"azurerm_{kind}.m", {"location": "brazilsouth", **values}))

    assert ("backup", "southcentralus") in found


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        ("mssql_managed_instance", {"storage_account_type": "LRS"}),
        ("data_protection_backup_vault", {"redundancy": "ZoneRedundant"}),
        ("cosmosdb_account", {"backup": [{"type": "Continuous"}]}),
        ("postgresql_flexible_server", {"geo_redundant_backup_enabled": False, "name": "geo"}),
        ("storage_account", {"account_replication_type": "ZRS"}),
    ],
)
def test_azure_backups_that_stay_are_no_copies(tmp_path, kind, values):
    found = places(tmp_path, planned(f"azurerm_{kind}.m", {"location": "brazilsouth", **values}))

    assert {region for _, region in found} == {"brazilsouth"}


@pytest.mark.parametrize(
    ("kind", "values", "copy"),
    [
        ("aws_dlm_lifecycle_policy", {"policy_details": [{"schedule": [{"cross_region_copy_rule": [
            {"target": "us-east-1"}]}]}]}, ("replica", "us-east-1")),
        ("aws_ecr_replication_configuration", {"replication_configuration": [{"rule": [{"destination": [
            {"region": "us-east-1"}]}]}]}, ("replica", "us-east-1")),
        ("aws_brand_new", {"deep": [{"er": {"replicaRegions": ["us-east-1"]}}]}, ("replica", "us-east-1")),
        ("aws_lambda_function", {"environment": [{"variables": {"R": "us-east-1"}}]}, ("replica", "us-east-1")),
        ("aws_appflow_flow", {"backup": [{"endpoint": "https://s3.us-east-1.amazonaws.com"}]}, ("backup", "us-east-1")),
        ("azurerm_brand_new", {"failover": [{"to": "eastus"}]}, ("replica", "eastus")),
    ],
)  # fmt: skip
def test_a_place_named_by_any_setting_is_judged(tmp_path, kind, values, copy):
    assert copy in places(tmp_path, planned(f"{kind}.x", values))


@pytest.mark.parametrize(
    "values",
    [
        {"time_zone": "W. Europe", "zones": ["1", "2"], "hosted_zone_id": "Z1", "source_region": "us-east-1"},
        {"nested": [{"enabled": False, "region": "us-east-1"}], "tags": {"was": "us-east-1"}},
        {"restrictions": [{"geo_restriction": [{"locations": ["US"]}]}], "s3_location": "s3://a/b"},
    ],
)  # fmt: skip
def test_what_names_no_place_of_the_data_is_no_copy(tmp_path, values):
    assert {region for _, region in places(tmp_path, planned("aws_instance.x", values))} == {"eu-central-1"}


def test_a_nested_place_known_after_apply_is_unstated(tmp_path):
    unknown = {"replica": [{"region_name": True, "arn": True}], "settings": [{"location": True}]}
    table = planned("aws_dynamodb_table.t", unknown=unknown, replica=[{"region_name": {"references": ["local.far"]}}])

    assert places(tmp_path, table) == {("store", "eu-central-1"), ("replica", "")}
