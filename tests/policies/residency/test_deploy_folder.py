"""What is in ``deploy/`` parses, renders, and keeps its promises. The templates use only a little of Helm."""

import json
import re
from typing import get_args

import pytest
import yaml

from governance.env import Environment
from tests.helpers.deployment_files import verdicts
from tests.helpers.paths import CHECKOUT

DEPLOY = CHECKOUT / "deploy"
TEMPLATES = sorted((DEPLOY / "chart/templates").glob("*.yaml"))
# A worker for each queue of jobs.
WORKLOADS = {f"assent-{name}" for name in ("web", "worker-urgent", "worker", "worker-long", "beat", "migrate")}
VALUES = yaml.safe_load((DEPLOY / "chart/values.yaml").read_text())
_IF = re.compile(r"^ *\{\{- if (\S+) \}\}\n(.*?)^ *\{\{- end \}\}\n", re.DOTALL | re.MULTILINE)
_VALUE = re.compile(r"\{\{ (toJson )?(\.[A-Za-z.]+)( \| quote)? \}\}")

PULL = {**VALUES["opaPull"], "enabled": True, "keyId": "KEY", "publicKey": "BASE64"}


def _look_up(path, values):
    found = {"Values": values, "Release": {"Name": "assent"}}
    for name in path.strip(".").split("."):
        found = found[name]
    return found


def _render(text, values):
    text = _IF.sub(lambda match: _render(match[2], values) if _look_up(match[1], values) else "", text)

    def value(match):
        found = _look_up(match[2], values)
        return json.dumps(found) if match[1] else json.dumps(str(found)) if match[3] else str(found)

    text = _VALUE.sub(value, text)
    assert "{{" not in text, text[text.index("{{") :][:80]
    return text


def _rendered(**changes):
    values = {**VALUES, **changes}
    return [
        manifest
        for path in TEMPLATES
        for manifest in yaml.safe_load_all(_render(path.read_text(), values))
        if manifest is not None
    ]


def _of_kind(kind, manifests=None):
    return {each["metadata"]["name"]: each for each in manifests or _rendered() if each["kind"] == kind}


def _pods(manifests=None):
    kinds = ("StatefulSet", "Deployment", "Job")
    return {
        each["metadata"]["name"]: each["spec"]["template"]["spec"]
        for each in manifests or _rendered()
        if each["kind"] in kinds
    }


def _containers(pod):
    return [*pod.get("initContainers", []), *pod["containers"]]


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.stem)
def test_every_template_renders_to_an_object(path):
    everything = {**VALUES, "ingress": {**VALUES["ingress"], "enabled": True}, "opaPull": PULL}

    for manifest in yaml.safe_load_all(_render(path.read_text(), everything)):
        assert {"apiVersion", "kind", "metadata"} <= set(manifest)


def test_no_container_is_root_or_may_write_its_image_or_is_without_limits():
    assert set(_pods()) == WORKLOADS
    for pod in _pods().values():
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["automountServiceAccountToken"] is False
        volumes = {volume["name"] for volume in pod["volumes"]} | {"spool"}
        for container in _containers(pod):
            assert container["securityContext"]["readOnlyRootFilesystem"] is True
            assert container["securityContext"]["allowPrivilegeEscalation"] is False
            assert container["resources"]["limits"]["memory"]
            assert {mount["name"] for mount in container["volumeMounts"]} <= volumes


def _own_environments(manifests):
    """What each container of Assent's own image is given, by workload and name."""
    return {
        (name, container["name"]): {variable["name"]: variable.get("value") for variable in container["env"]}
        for name, pod in _pods(manifests).items()
        for container in _containers(pod)
        if container["image"] == VALUES["image"]
    }


def test_every_process_has_the_pooling_and_the_former_secrets():
    plain = _own_environments(_rendered())
    other = _own_environments(_rendered(databasePooling="transaction", secretKeyFallbacks=True))

    assert {name for name, _ in plain} == WORKLOADS
    assert {given["DATABASE_POOLING"] for given in plain.values()} == {"session"}
    assert not any("SECRET_KEY_FALLBACKS_FILE" in given for given in plain.values())
    assert {given["DATABASE_POOLING"] for given in other.values()} == {"transaction"}
    assert {given["SECRET_KEY_FALLBACKS_FILE"] for given in other.values()} == {
        "/run/secrets/assent/secret_key_fallbacks"
    }
    assert plain["assent-beat", "beat"]["EVIDENCE_FULL_CHECK"] == "weekly"


def test_compose_hands_on_what_may_be_set():
    environment = yaml.safe_load((DEPLOY / "compose.yaml").read_text())["x-app"]["environment"]

    assert environment["DATABASE_POOLING"] == "${DATABASE_POOLING:-session}"
    assert environment["SECRET_KEY_FALLBACKS"] == "${SECRET_KEY_FALLBACKS:-}"
    assert environment["EVIDENCE_FULL_CHECK"] == "${EVIDENCE_FULL_CHECK:-weekly}"
    assert environment["OFFICER_MFA"] == "${OFFICER_MFA:-required}"


def test_officers_of_a_deployment_need_a_second_factor():
    shipped = _own_environments(_rendered())
    other = _own_environments(_rendered(officerMfa="optional"))

    assert shipped["assent-web", "web"]["OFFICER_MFA"] == "required"
    assert other["assent-web", "web"]["OFFICER_MFA"] == "optional"
    allowed = get_args(Environment.model_fields["officer_mfa"].annotation)
    assert {VALUES["officerMfa"], "optional"} == set(allowed)


def test_web_is_asked_for_health_and_shares_the_spool_with_its_drainer():
    web = _of_kind("StatefulSet")["assent-web"]
    containers = {container["name"]: container for container in web["spec"]["template"]["spec"]["containers"]}

    assert containers["web"]["readinessProbe"]["httpGet"]["path"] == "/health/ready"
    assert containers["web"]["livenessProbe"]["httpGet"]["path"] == "/health/live"
    for name in ("web", "drainer"):
        assert "spool" in {mount["name"] for mount in containers[name]["volumeMounts"]}
    assert web["spec"]["volumeClaimTemplates"][0]["metadata"]["name"] == "spool"


def test_opa_stands_beside_web_with_the_pinned_image_and_can_be_left_out():
    opa = {c["name"]: c for c in _pods()["assent-web"]["containers"]}["opa"]
    compose = yaml.safe_load((DEPLOY / "compose.yaml").read_text())

    assert opa["image"] == compose["services"]["opa"]["image"] == "docker.io/openpolicyagent/opa:1.20.2"
    assert "127.0.0.1:8181" in opa["args"]
    assert opa["readinessProbe"]["httpGet"]["path"] == "/health"
    without = _rendered(opa={**VALUES["opa"], "enabled": False})
    pod = _pods(without)["assent-web"]
    assert [container["name"] for container in pod["containers"]] == ["web", "drainer"]
    assert "OPA_URL" not in {variable["name"] for variable in pod["containers"][0]["env"]}
    assert not _of_kind("ConfigMap", without)


def test_the_chart_pins_the_key_of_servers_that_pull_as_the_tested_file_does():
    rendered = _of_kind("ConfigMap", _rendered(opaPull=PULL))["assent-opa-pull"]["data"]["config.yaml"]
    told = {
        "ASSENT_URL": VALUES["publicUrl"],
        "ASSENT_TOKEN_FILE": PULL["tokenFile"],
        "ASSENT_KEY_ID": "KEY",
        "ASSENT_PUBLIC_KEY": "BASE64",
    }
    tested = (DEPLOY / "opa/pull.yaml").read_text()
    for name, value in told.items():
        tested = tested.replace(f"${{{name}}}", value)

    assert yaml.safe_load(rendered) == yaml.safe_load(tested)
    assert yaml.safe_load(rendered)["bundles"]["assent"]["signing"]["keyid"] == "assent"
    assert set(_of_kind("ConfigMap")) == {"assent-opa"}


def test_compose_tells_the_server_that_pulls_all_its_configuration_asks_for():
    compose = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
    asked = set(re.findall(r"\$\{(\w+)\}", (DEPLOY / "opa/pull.yaml").read_text()))

    server = compose["services"]["opa-pull"]
    assert set(server["environment"]) == asked
    assert server["environment"]["ASSENT_TOKEN_FILE"] == "/run/secrets/opa_token"
    assert server["secrets"] == ["opa_token"]
    assert "opa_token" in compose["secrets"]
    assert server["profiles"] == ["opa-pull"]


def test_selectors_find_their_pods_and_the_web_outlives_maintenance():
    manifests = _rendered()
    for manifest in manifests:
        selector = manifest.get("spec", {}).get("selector", {}).get("matchLabels")
        if selector and "template" in manifest["spec"]:
            assert manifest["spec"]["template"]["metadata"]["labels"] == selector
    web = _of_kind("StatefulSet", manifests)["assent-web"]["spec"]["selector"]
    assert _of_kind("PodDisruptionBudget", manifests)["assent-web"]["spec"]["selector"] == web
    assert _of_kind("Service", manifests)["assent-web"]["spec"]["selector"] == web["matchLabels"]
    assert _of_kind("NetworkPolicy", manifests)["assent-network"]["spec"]["policyTypes"] == ["Ingress", "Egress"]


def test_opa_gets_the_same_configuration_everywhere():
    config = yaml.safe_load((DEPLOY / "opa/config.yaml").read_text())

    assert yaml.safe_load(_of_kind("ConfigMap")["assent-opa"]["data"]["config.yaml"]) == config


def test_compose_asks_web_opa_database_and_broker_for_their_health():
    services = yaml.safe_load((DEPLOY / "compose.yaml").read_text())["services"]

    assert {name for name, service in services.items() if "healthcheck" in service} == {"web", "opa", "db", "broker"}


def test_what_is_deployed_obeys_the_residency_rules(tmp_path):
    rendered = tmp_path / "rendered.yaml"
    rendered.write_text(yaml.safe_dump_all(_rendered()))

    for path in (rendered, DEPLOY / "compose.yaml"):
        judged = verdicts(path)
        assert judged
        assert set(judged.values()) == {True}, judged
