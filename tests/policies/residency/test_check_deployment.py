"""The command: a table, JSON, and an exit status for pipelines."""

import io
import json

import pytest
from django.core.management import CommandError, call_command

from governance.launcher import cli, one_off
from policies.models import ProcessingRegion
from policies.registers import defaults
from tests.helpers.deployment_files import FILES, written

GOOD = "x-assent: {region: eu-central-1, subjects: eea}\nservices: {web: {}}"


def check(*arguments):
    """Return the exit status and what was written."""
    out = io.StringIO()
    try:
        call_command("check_deployment", *arguments, stdout=out)
    except SystemExit as exc:
        return exc.code, out.getvalue()
    except CommandError as exc:
        return exc.returncode, str(exc)
    return 0, out.getvalue()


def test_a_permitted_file_names_the_rule_it_rests_on(tmp_path):
    status, text = check(str(written(tmp_path, GOOD)), "--data-from-defaults")

    assert status == 0
    assert "permitted  eea-in-eea" in text
    assert "1 placements, 0 refused" in text


def test_findings_are_named_with_file_and_reason():
    status, text = check(str(FILES / "compose.yaml"), "--data-from-defaults")

    assert status == 1
    assert "compose.yaml:13" in text
    assert "REFUSED    residency: No rule allows data of people in eea in us: views." in text


def test_what_files_leave_unsaid_can_be_said_on_the_command_line(tmp_path):
    path = str(written(tmp_path, "x-assent: {region: eu-west-2}\nservices: {web: {}}"))

    assert check(path, "--data-from-defaults")[0] == 1
    assert check(path, "--data-from-defaults", "--subjects", "eea,uk", "--categories", "views")[0] == 0


def test_json_says_the_same(tmp_path):
    status, text = check(str(FILES / "manifests.yaml"), "--json", "--data-from-defaults")

    refused = [each for each in json.loads(text)["placements"] if not each["permitted"]]
    assert status == 1
    assert {reason["code"] for each in refused for reason in each["reasons"]} == {"residency", "region_unstated"}


def test_an_unreadable_file_is_told_apart(tmp_path):
    status, text = check(str(written(tmp_path, "x: [")), "--data-from-defaults")

    assert status == 2
    assert "cannot be judged" in text


def test_a_file_with_nothing_to_judge_is_named(tmp_path):
    path = str(written(tmp_path, "apiVersion: v1\nkind: Service\nmetadata: {name: web}"))

    status, text = check(path, "--data-from-defaults")
    _, document = check(path, "--data-from-defaults", "--json")

    assert status == 0
    assert f"{path}: nothing in it is known to hold data" in text
    assert json.loads(document)["nothing_to_judge"] == [path]


def test_files_are_judged_together_and_blamed_alone(tmp_path):
    good = str(written(tmp_path, GOOD, "good.yaml"))
    bad = str(written(tmp_path, "include: [x.yaml]", "bad.yaml"))

    status, text = check(good, bad, "--data-from-defaults")

    assert status == 2
    assert text == f"{bad} cannot be judged: it includes other files: judge the output of docker compose config."


@pytest.mark.django_db
def test_the_rules_in_force_are_asked_where_there_is_an_instance(tmp_path):
    path = str(written(tmp_path, "x-assent: {region: cellar-1, subjects: eea}\nservices: {web: {}}"))
    assert check(path)[0] == 2  # no bundle yet

    ProcessingRegion.objects.create(slug="cellar-1", group="eea")
    defaults.ensure_defaults()

    assert check(path)[0] == 0
    assert check(path, "--data-from-defaults")[0] == 1


@pytest.mark.parametrize("has_instance", [False, True])
def test_without_an_instance_the_defaults_are_asked(tmp_path, monkeypatch, has_instance):
    calls = []
    monkeypatch.delenv("DATABASE_URL", raising=False)
    monkeypatch.setattr(one_off, "run_one_off", lambda *args, **options: calls.append(options) or 0)
    if has_instance:
        (tmp_path / "postgres").mkdir()

    assert cli.main(["--home", str(tmp_path), "check-deployment", "plan.json"]) == 0

    assert calls[0]["needs_database"] is has_instance
    assert calls[0]["needs_instance"] is False
    assert ("--data-from-defaults" in calls[0]["arguments"]) is not has_instance
