"""Terraform plans, compose files and Kubernetes manifests: what may stand where it stands, and what may not."""

import json

import pytest

from policies.bundles.building import build_data
from policies.engines.opa import OpaEngine
from policies.registers import defaults
from policies.residency import regions
from tests.helpers.deployment_files import FILES, shipped, verdicts, written


def test_a_plan_is_judged_with_its_replicas_and_backups():
    assert verdicts(FILES / "plan.json") == {
        ("aws_db_instance.shop", "store", "eu-central-1"): True,
        ("aws_db_instance.shop", "backup", "eu-central-1"): True,
        ("aws_s3_bucket.events", "store", "eu-central-1"): True,
        ("aws_s3_bucket.copy", "store", "us-east-1"): True,
        ("aws_s3_bucket_replication_configuration.events", "store", "eu-central-1"): True,
        ("aws_s3_bucket_replication_configuration.events", "replica", "us-east-1"): ["residency"],
        ("module.reports[0].google_sql_database_instance.reports", "store", "europe-west2"): ["subjects_unstated"],
        ("module.reports[0].google_sql_database_instance.reports", "backup", "eu"): ["subjects_unstated"],
        ("module.reports[0].azurerm_storage_account.lake", "store", "westeurope"): True,
        ("module.reports[0].azurerm_storage_account.lake", "replica", "northeurope"): True,
    }


def test_a_compose_file_is_judged_by_its_annotations():
    assert verdicts(FILES / "compose.yaml") == {
        ("service web", "process", "eu-central-1"): True,
        ("service db", "process", "eu-central-1"): True,
        ("service mirror", "process", "us-east-1"): ["residency"],
        ("volume db", "store", "eu-central-1"): True,
        ("volume db", "backup", "eu-west-2"): True,
        ("volume mirror", "store", "us-east-1"): ["residency"],
    }


def test_manifests_are_judged_by_what_binds_them():
    assert verdicts(FILES / "manifests.yaml") == {
        ("StatefulSet db", "process", "eu-central-1"): True,
        ("StatefulSet db (volumeClaimTemplates.data)", "store", "eu-central-1"): True,
        ("Deployment trainer", "process", "eu-west-1"): True,
        ("Deployment trainer", "process", "us-east-1"): ["residency", "residency"],
        ("CronJob nightly-backup", "backup", "eu-central-1"): True,
        ("CronJob nightly-backup (env)", "backup", "ap-south-1"): ["residency", "residency"],
        ("Deployment adrift", "process", ""): ["region_unstated"],
    }


@pytest.mark.parametrize("name", ["plan.json", "compose.yaml", "manifests.yaml"])
def test_both_engines_judge_alike(name, opa_url):
    assert verdicts(FILES / name, OpaEngine(opa_url, timeout_ms=60_000)) == verdicts(FILES / name)


def _plan(resource, **configuration):
    return json.dumps({"planned_values": {"root_module": {"resources": [resource]}}, "configuration": configuration})


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"location": "moon-1"}, "region_unknown"),
        ({}, "region_unstated"),
        ({"location": "europe-west2"}, True),
        ({"location": "us-central1"}, "residency"),
    ],
)
def test_an_unknown_region_or_type_is_never_a_pass(tmp_path, values, code):
    resource = {
        "address": "google_brand_new.x",
        "type": "google_brand_new",
        "provider_name": "registry.terraform.io/hashicorp/google",
        "values": {**values, "labels": {"assent-subjects": "eea__uk" if code is not True else "uk"}},
    }

    found = list(verdicts(written(tmp_path, _plan(resource), "plan.json")).values())

    assert found == [True if code is True else ([code, code] if code == "residency" else [code])]


def test_a_region_known_only_after_apply_is_not_taken_from_the_provider(tmp_path):
    plan = {
        "planned_values": {
            "root_module": {
                "resources": [
                    {
                        "address": "aws_sqs_queue.q",
                        "type": "aws_sqs_queue",
                        "values": {"tags": {"assent:subjects": "us"}},
                    }
                ]
            }
        },
        "resource_changes": [{"address": "aws_sqs_queue.q", "change": {"after_unknown": {"region": True}}}],
        "configuration": {
            "provider_config": {"aws": {"expressions": {"region": {"constant_value": "us-east-1"}}}},
            "root_module": {
                "resources": [{"address": "aws_sqs_queue.q", "expressions": {"region": {"references": ["x.y"]}}}]
            },
        },
    }

    assert verdicts(written(tmp_path, json.dumps(plan), "p.json")) == {
        ("aws_sqs_queue.q", "store", ""): ["region_unstated"]
    }


@pytest.mark.parametrize(
    ("provider", "region", "group"),
    [
        ("aws", "eu-central-1", "eea"),
        ("aws", "eu-central-1a", "eea"),
        ("aws", "eu-central-2", "ch"),
        ("aws", "eu-west-2", "uk"),
        ("aws", "us-east-1", "us"),
        ("google", "europe-west2-b", "uk"),
        ("google", "EU", "eea"),
        ("azurerm", "West Europe", "eea"),
        ("aws", "westeurope", ""),
        ("", "westeurope", "eea"),
        ("", "mars", ""),
    ],
)
def test_regions_belong_to_groups(provider, region, group):
    assert regions.group_of(provider, region) == group


@pytest.mark.django_db
def test_the_defaults_read_without_a_database_are_those_of_a_new_installation():
    defaults.ensure_defaults()

    built = build_data()["residency"]

    mine = shipped().data["residency"]
    assert {**mine, "rules": sorted(mine["rules"], key=lambda rule: rule["id"])} == built
