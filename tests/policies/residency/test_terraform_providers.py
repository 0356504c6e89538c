"""Kind: a region that a plan only leads to. It is followed exactly, and unstated where it can be something else."""

import pytest

from policies.residency.placements import Unreadable
from policies.residency.reading import read_file
from tests.helpers.deployment_files import verdicts, written
from tests.helpers.terraform_plans import constant, plan, planned, references

BUCKET = "aws_s3_bucket.a"
ARCHIVE = f"module.archive.{BUCKET}"
FRANKFURT, VIRGINIA = {"region": constant("eu-central-1")}, {"region": constant("us-east-1")}
UNSTATED = ("", ["region_unstated"])
IN_VIRGINIA = ("us-east-1", ["residency"])


def judged(tmp_path, *resources, **parts):
    """Return (region, verdict) of each resource."""
    found = verdicts(written(tmp_path, plan(*resources, **parts), "plan.json"))
    return {address: (region, verdict) for (address, _, region), verdict in found.items()}


def test_a_module_provider_is_not_that_of_the_root(tmp_path):
    archive = planned(ARCHIVE, key="module.archive:aws")

    found = judged(tmp_path, archive, providers={"aws": FRANKFURT, "module.archive:aws": VIRGINIA})

    assert found == {ARCHIVE: IN_VIRGINIA}


def test_a_module_provider_without_region_is_unstated(tmp_path):
    """As Terraform wrote passed aliases before 1.2: an entry of the module's own with nothing in it."""
    archive = planned(ARCHIVE, key="module.archive:aws")

    found = judged(tmp_path, archive, providers={"aws": FRANKFURT, "aws.far": VIRGINIA, "module.archive:aws": {}})

    assert found == {ARCHIVE: UNSTATED}


def test_a_provider_without_any_entry_is_unstated(tmp_path):
    archive = planned(ARCHIVE, key="module.archive:aws")

    assert judged(tmp_path, archive, providers={"aws": FRANKFURT}) == {ARCHIVE: UNSTATED}


def test_passed_aliases_are_looked_up_by_their_own_names(tmp_path):
    near, far = f"module.a.{BUCKET}", f"module.b.{BUCKET}"

    found = judged(
        tmp_path,
        planned(near, key="aws.frankfurt"),
        planned(far, key="aws.virginia"),
        providers={"aws": FRANKFURT, "aws.frankfurt": FRANKFURT, "aws.virginia": VIRGINIA},
    )

    assert found == {near: ("eu-central-1", True), far: IN_VIRGINIA}


def _with_variable(tmp_path, given, *, region=("var.region",), variables=None, declared=None):
    call = {"expressions": given, "module": {"variables": declared or {"region": {}}}}
    return judged(
        tmp_path,
        planned(ARCHIVE, key="module.archive:aws"),
        providers={"aws": FRANKFURT, "module.archive:aws": {"region": references(*region)}},
        variables=variables or {"region": "eu-central-1", "far": "us-east-1"},
        calls={"module.archive": call},
    )[ARCHIVE]


@pytest.mark.parametrize(
    ("given", "answer"),
    [
        ({"region": constant("us-east-1")}, IN_VIRGINIA),
        ({"region": references("var.far")}, IN_VIRGINIA),
        ({"region": references("var.region")}, ("eu-central-1", True)),
        ({"region": references("local.region")}, UNSTATED),
        ({"region": references("each.value")}, UNSTATED),
        ({"region": references("module.names.region", "module.names")}, UNSTATED),
        ({}, UNSTATED),
    ],
)
def test_a_variable_in_a_module_is_the_module_call_s(tmp_path, given, answer):
    assert _with_variable(tmp_path, given) == answer


def test_a_module_variable_left_out_is_its_default(tmp_path):
    assert _with_variable(tmp_path, {}, declared={"region": {"default": "us-east-1"}}) == IN_VIRGINIA


def test_variables_are_followed_through_two_modules(tmp_path):
    inner = f"module.outer.module.inner.{BUCKET}"

    found = judged(
        tmp_path,
        planned(inner, key="module.outer.module.inner:aws"),
        providers={"module.outer.module.inner:aws": {"region": references("var.region")}},
        variables={"region": "eu-central-1"},
        calls={
            "module.outer": {"expressions": {"place": constant("us-east-1")}},
            "module.outer.module.inner": {"expressions": {"region": references("var.place")}},
        },
    )

    assert found == {inner: IN_VIRGINIA}


@pytest.mark.parametrize(
    ("named", "answer"),
    [
        (["var.region"], ("eu-central-1", True)),
        (["var.places.main", "var.places"], IN_VIRGINIA),
        (["var.list[1]", "var.list"], IN_VIRGINIA),
        (['var.places["main"]', "var.places"], IN_VIRGINIA),
        (["var.switch", "var.region"], UNSTATED),  # switch ? "us-east-1" : region
        (["var.region", "var.region"], UNSTATED),  # region == "x" ? "us-east-1" : region
        (["var.continent"], UNSTATED),  # "${continent}-east-1"
        (["var.list", "count.index"], UNSTATED),
        (["var.places"], UNSTATED),  # lookup(places, "main")
        (["local.region"], UNSTATED),
        (["data.aws_region.here.name", "data.aws_region.here"], UNSTATED),
        ([], UNSTATED),
    ],
)
def test_only_a_whole_variable_is_a_region(tmp_path, named, answer):
    variables = {
        "region": "eu-central-1",
        "switch": True,
        "continent": "eu",
        "places": {"main": "us-east-1"},
        "list": ["eu-central-1", "us-east-1"],
    }

    found = judged(tmp_path, planned(BUCKET), providers={"aws": {"region": references(*named)}}, variables=variables)

    assert found == {BUCKET: answer}


def test_a_provider_of_many_regions_is_unstated(tmp_path):
    """A provider with an instance for each region names none: its expression refers to the instance's key."""
    found = judged(
        tmp_path, planned(BUCKET, key="aws.each"), providers={"aws.each": {"region": references("each.key")}}
    )

    assert found == {BUCKET: UNSTATED}


def test_a_tag_states_what_a_plan_leaves_open(tmp_path):
    about = {"assent-subjects": "eea", "assent-region": "eu-central-1"}

    assert judged(tmp_path, planned(BUCKET, about=about)) == {BUCKET: ("eu-central-1", True)}


def test_a_tag_that_says_another_region_is_judged_too(tmp_path):
    about = {"assent-subjects": "eea", "assent-region": "us-east-1"}
    text = plan(planned(BUCKET, about=about), providers={"aws": FRANKFURT})

    found = verdicts(written(tmp_path, text, "plan.json"))

    assert found == {(BUCKET, "store", "eu-central-1"): True, (BUCKET, "replica", "us-east-1"): ["residency"]}


def test_resources_put_off_are_named(tmp_path):
    deferred = {"reason": "provider_config_unknown", "resource_change": {"address": BUCKET, "type": "aws_s3_bucket"}}

    assert judged(tmp_path, deferred_changes=[deferred])[BUCKET][0] == ""


def test_a_plan_that_ended_in_an_error_is_refused(tmp_path):
    with pytest.raises(Unreadable, match="ended in an error"):
        read_file(written(tmp_path, plan(errored=True), "plan.json"))
