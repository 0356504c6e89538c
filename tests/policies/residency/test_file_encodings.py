"""Kind: the same text in other bytes. An encoding changes no verdict, and a plan is never read as YAML."""

import codecs

import pytest

from policies.residency.placements import Unreadable
from policies.residency.reading import read_file
from tests.helpers.deployment_files import FILES, verdicts, written
from tests.helpers.terraform_plans import plan, planned

ENCODINGS = {
    "utf-8 with a mark": lambda text: codecs.BOM_UTF8 + text.encode(),
    "utf-16 of PowerShell": lambda text: codecs.BOM_UTF16_LE + text.encode("utf-16-le"),
    "utf-16 big endian": lambda text: codecs.BOM_UTF16_BE + text.encode("utf-16-be"),
    "utf-16 without a mark": lambda text: text.encode("utf-16-le"),
    "utf-32": lambda text: codecs.BOM_UTF32_LE + text.encode("utf-32-le"),
}
UNKNOWN = plan(
    planned(
        "google_storage_bucket.b",
        {"name": "orders"},
        unknown={"location": True, "id": True},
        location=["random_shuffle.place.result[0]", "random_shuffle.place.result", "random_shuffle.place"],
    ),
    providers={"google": {"region": {"constant_value": "europe-west3"}}},
)
SWITCHES = plan(
    planned("aws_db_instance.d", {"availability_zone": "eu-central-1a", "backup_retention_period": 7}),
    planned(
        "azurerm_postgresql_flexible_server.p",
        {"location": "germanywestcentral", "geo_redundant_backup_enabled": False},
    ),
    planned("azurerm_postgresql_flexible_server.q", {"location": "brazilsouth", "geo_redundant_backup_enabled": False}),
)


def _encoded(tmp_path, text, encoding):
    path = tmp_path / "file"
    path.write_bytes(ENCODINGS[encoding](text))
    return path


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("text", [UNKNOWN, SWITCHES], ids=["unknown location", "booleans and numbers"])
def test_a_plan_in_another_encoding_gets_the_same_verdicts(tmp_path, text, encoding):
    expected = verdicts(written(tmp_path, text, "plain.json"))

    assert verdicts(_encoded(tmp_path, text, encoding)) == expected


def test_the_verdicts_themselves_are_right(tmp_path):
    assert verdicts(written(tmp_path, UNKNOWN)) == {("google_storage_bucket.b", "store", ""): ["region_unstated"]}
    assert [(kind, region) for _, kind, region in verdicts(written(tmp_path, SWITCHES))] == [
        ("store", "eu-central-1"),
        ("backup", "eu-central-1"),
        ("store", "germanywestcentral"),
        ("store", "brazilsouth"),
    ]


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("name", ["compose.yaml", "manifests.yaml"])
def test_yaml_in_another_encoding_gets_the_same_verdicts(tmp_path, name, encoding):
    assert verdicts(_encoded(tmp_path, (FILES / name).read_text(), encoding)) == verdicts(FILES / name)


def test_a_marked_plan_may_be_as_large_as_any(tmp_path):
    large = plan(planned("aws_s3_bucket.b", {"region": "eu-central-1", "policy": "x" * 3_000_000}))

    assert list(verdicts(_encoded(tmp_path, large, "utf-8 with a mark")).values()) == [True]


@pytest.mark.parametrize("before", ["# a comment\n", "--- ", "%YAML 1.1\n---\n", "- "])
def test_a_plan_read_as_yaml_is_refused(tmp_path, before):
    with pytest.raises(Unreadable):
        read_file(written(tmp_path, before + SWITCHES))


@pytest.mark.parametrize("data", [b"\xff\xfe{", b"\x80{}", "{\u00e4}".encode("latin-1")])
def test_broken_text_is_refused_with_its_encoding(tmp_path, data):
    path = tmp_path / "file"
    path.write_bytes(data)

    with pytest.raises(Unreadable, match="UTF-"):
        read_file(path)


@pytest.mark.parametrize(
    "text",
    [
        '{"planned_values": {"root_module": {}}, "planned_values": {}}',
        "x-assent: {region: us-east-1, region: eu-central-1}\nservices: {a: {}}",
        "services: {a: {image: x}, b: {}, a: {}}",
    ],
)
def test_a_member_stated_twice_is_refused(tmp_path, text):
    with pytest.raises(Unreadable, match="twice"):
        read_file(written(tmp_path, text))
