"""Kind: a compose file that is not whole, and words about data that are not understood."""

import pytest

from policies.residency.placements import Unreadable
from policies.residency.reading import read_file
from tests.helpers.deployment_files import verdicts, written

GENERAL = "x-assent: {region: eu-central-1, subjects: [eea], data-categories: [purchases]}\n"
RENDER = "docker compose config"


@pytest.mark.parametrize(
    "text",
    [
        "include: [inc/analytics.yaml]\nservices: {web: {image: shop}}",
        "include: [inc/analytics.yaml]\nservices: {}",
        "include: [inc/analytics.yaml]",
        "include: [{path: [a.yaml, b.yaml]}]\nservices: {web: {}}",
        "services: {warehouse: {extends: {file: inc/analytics.yaml, service: warehouse}}}",
        "services: {warehouse: {extends: nothing}}",
        "services: {a: {extends: b}, b: {extends: {service: a}}}",
        "services: {a: {labels: !reset []}}",
        "services: {a: {x-assent: !override {region: us-east-1}}}",
        "services: {a: {volumes: !reset null}}",
    ],
)
def test_a_part_of_another_file_is_refused(tmp_path, text):
    with pytest.raises(Unreadable, match=RENDER):
        read_file(written(tmp_path, GENERAL + text))


def judged(tmp_path, text):
    return {
        name: (region, verdict) for (name, _, region), verdict in verdicts(written(tmp_path, GENERAL + text)).items()
    }


@pytest.mark.parametrize(
    "base", ["x-assent: {region: us-east-1}", "labels: [assent.region=us-east-1]", "labels: {assent.region: us-east-1}",
             "deploy: {placement: {constraints: ['node.labels.region == us-east-1']}}"],
)  # fmt: skip
@pytest.mark.parametrize("extends", ["base", "{service: base}"])
def test_a_service_takes_over_what_it_extends(tmp_path, base, extends):
    web = f"{{extends: {extends}, labels: {{x: y}}, volumes: ['v:/v']}}"
    text = f"services: {{base: {{{base}}}, web: {web}}}\nvolumes: {{v: {{}}}}"

    found = judged(tmp_path, text)

    assert found["service web"] == found["volume v"] == ("us-east-1", ["residency"])


def test_a_service_says_more_than_what_it_extends(tmp_path):
    text = "services: {base: {x-assent: {region: us-east-1}}, web: {extends: base, x-assent: {region: eu-west-1}}}"

    assert judged(tmp_path, text)["service web"] == ("eu-west-1", True)


@pytest.mark.parametrize(
    "volume",
    [
        "{driver: rexray/ebs}",
        "{driver: local, driver_opts: {type: nfs, o: 'addr=10.0.0.9', device: ':/x'}}",
        "{driver_opts: {type: cifs}}",
    ],
)
def test_a_volume_on_another_machine_is_unstated(tmp_path, volume):
    text = f"services: {{web: {{volumes: ['v:/v']}}}}\nvolumes: {{v: {volume}}}"

    assert judged(tmp_path, text)["volume v"] == ("", ["region_unstated"])
    stated = text.replace(volume, volume[:-1] + ", x-assent: {region: eu-west-1}}")
    assert judged(tmp_path, stated)["volume v"] == ("eu-west-1", True)


def test_a_service_of_a_provider_is_unstated(tmp_path):
    assert judged(tmp_path, "services: {db: {provider: {type: cloud}}}")["service db"] == ("", ["region_unstated"])


@pytest.mark.parametrize(
    ("constraint", "region"),
    [
        ("node.labels.region == us-east-1", "us-east-1"),
        ("node.labels.topology.kubernetes.io/zone==us-east-1a", "us-east-1"),
        ("engine.labels.region == us-east-1", "us-east-1"),
        ("node.labels.region != us-east-1", ""),
        ("node.labels.region in (us-east-1)", ""),
        ("node.labels.region == ${REGION}", ""),
        ("node.role == manager", "eu-central-1"),
    ],
)
def test_a_constraint_about_regions_is_followed_or_unstated(tmp_path, constraint, region):
    text = f"services: {{web: {{deploy: {{placement: {{constraints: ['{constraint}']}}}}}}}}"

    assert judged(tmp_path, text)["service web"][0] == region


@pytest.mark.parametrize(
    ("said", "says"),
    [
        ("x-assent: {regoin: us-east-1}", "regoin"),
        ("x-assent: us-east-1", "no mapping"),
        ("x-assent: {subjects: {eea: yes}}", "subjects"),
        ("x-assent: {subjects: [[eea]]}", "subjects"),
        (f"x-assent: {{subjects: [{'x' * 300}]}}", "subjects"),
        (f"x-assent: {{subjects: [{', '.join(f'g{n}' for n in range(120))}]}}", "100 words"),
        ("labels: {assent.regoin: us-east-1}", "regoin"),
        ("labels: {assent.region: us-east-1, assent.example/region: eu-central-1}", "two of its labels"),
    ],
)
def test_words_that_are_not_understood_are_refused(tmp_path, said, says):
    with pytest.raises(Unreadable, match=says):
        read_file(written(tmp_path, f"{GENERAL}services: {{web: {{{said}}}}}"))


@pytest.mark.parametrize("region", ["[us-east-1]", "{a: b}", "''", f"'{'x' * 300}'", '"eu\\e"', "'${REGION}'"])
def test_a_region_that_cannot_be_read_is_unstated(tmp_path, region):
    found = judged(tmp_path, f"services: {{web: {{x-assent: {{region: {region}}}}}}}")

    assert found["service web"] == ("", ["region_unstated"])
