"""Files that want to break the reader get a sentence."""

import pytest

from policies.residency.placements import Unreadable, read_labels
from policies.residency.reading import read_file
from tests.helpers.deployment_files import FILES, written

BOMB = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 9)
)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (BOMB, "aliases unfold"),
        ("services: &s {web: *s}", "no anchor before it"),
        ("services: " + "[" * 5000, "too deep"),
        ('{"planned_values": ' + "[" * 100_000, "nests too deeply"),
        ("{" * 5, "not JSON"),
        ('{"planned_values": {}, "planned_values": {}}', "A member name occurs twice"),
        ('{"planned_values": NaN}', "NaN is not a JSON number"),
        ("services: !!python/object/apply:os.system [echo]", "not YAML"),
        ("services: [\x00", "not YAML"),
        ("a: b: c", "line 1"),
        ("", "no Terraform plan"),
        ("just text", "no Terraform plan"),
        ("services: [a, b]", "without services"),
        ('{"terraform_version": "1.9"}', "terraform show -json"),
        ('{"planned_values": {"root_module": 3}}', "terraform show -json"),
        ("x: 1", "no Terraform plan"),
        ("services: {a: {}}\n---\nservices: {b: {}}", "no Terraform plan"),
        ("services: {[a]: 1}", "not YAML"),
        ("x: " + "y" * 3_000_000, "larger than"),
    ],
    ids=range(19),
)
def test_hostile_files_are_refused_with_a_sentence(tmp_path, text, says):
    with pytest.raises(Unreadable, match=says):
        read_file(written(tmp_path, text))


def test_bytes_that_are_no_text_and_folders_are_refused(tmp_path):
    path = tmp_path / "x"
    path.write_bytes(b"\xff\xfe\xff")
    for unusable in (path, tmp_path, tmp_path / "missing"):
        with pytest.raises(Unreadable):
            read_file(unusable)


@pytest.mark.parametrize(
    "text",
    [
        "services: {web: 5, db: [], x: {labels: [1, {}], volumes: [[], 3], deploy: 4}}\nvolumes: [1]",
        "apiVersion: v1\nkind: Deployment\nmetadata: 3\nspec: {template: [1], volumeClaimTemplates: [1]}",
        "apiVersion: v1\nkind: List\nitems: [1, {kind: CronJob, spec: 3}]",
        '{"planned_values": {"root_module": {"resources": [1, {"type": 5}, {"address": {}, "values": []}]}}}',
        '{"planned_values": {}, "configuration": [], "resource_changes": {}, "variables": 3}',
    ],
)
def test_wrong_shapes_are_read_as_nothing_or_as_unstated(tmp_path, text):
    assert all(placement.region == "" for placement in read_file(written(tmp_path, text)))


def test_terminal_escapes_do_not_reach_the_table():
    assert read_labels({"assent.region": "eu\x1b[2J"}).region == ""


def test_norway_is_a_region_and_not_false(tmp_path):
    path = written(tmp_path, "x-assent: {region: NO}\nservices: {a: {}}")

    assert read_file(path)[0].region == "NO"


def test_lines_are_known_in_yaml():
    assert all(placement.line for placement in read_file(FILES / "manifests.yaml"))
