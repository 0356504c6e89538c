"""The decision policy, asked through the embedded engine and through OPA itself.

The cases are tables a lawyer can read (``tests/cases``). The two engines must give the same answer to every
one of them, and to thousands of random and hostile fact sheets; OPA is the authority, a difference is a bug.
"""

import copy
import json
import os
import random
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import reduce
from http.client import HTTPConnection
from operator import getitem
from pathlib import Path
from typing import Any

import pytest
import regorus
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

ROOT = Path(__file__).resolve().parents[2]
REGO = sorted(path for path in (ROOT / "policies" / "rego").glob("*.rego") if not path.stem.endswith("_test"))
CASES = ROOT / "tests" / "cases"
DATA = CASES / "data.json"
BASE = yaml.safe_load((CASES / "base.yaml").read_text())
REGISTER = json.loads(DATA.read_text())
RULE = "data.governance.decision.answer"
RANDOM_FACTS = 2_000
SEED = 20_261_121

Facts = dict[str, Any]
Ask = Callable[[Facts], Any]


# The two engines


def embedded(data: str) -> Ask:
    engine = regorus.Engine()
    for path in REGO:
        engine.add_policy(path.name, path.read_text())
    engine.add_data_json(data)

    def ask(facts: Facts) -> Any:
        engine.set_input_json(json.dumps(facts))
        return json.loads(engine.eval_rule_as_json(RULE))

    return ask


def opa_binary() -> str:
    binary = os.environ.get("ASSENT_TEST_OPA") or shutil.which("opa")
    if binary is None:
        pytest.skip("NO OPA: the engines were NOT compared. Put opa on the PATH or its path in ASSENT_TEST_OPA.")
    return binary


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_until_healthy(server: subprocess.Popen[bytes], port: int) -> None:
    for _ in range(200):
        assert server.poll() is None, "OPA ended instead of serving; run `opa check --strict policies/rego`"
        try:
            connection = HTTPConnection("127.0.0.1", port)
            connection.request("GET", "/health")
            if connection.getresponse().status == 200:
                return
        except ConnectionError:
            time.sleep(0.05)
        finally:
            connection.close()
    pytest.fail("OPA did not become healthy")


def over_http(connection: HTTPConnection) -> Ask:
    def ask(facts: Facts) -> Any:
        body = json.dumps({"input": facts})
        connection.request("POST", "/v1/data/governance/decision/answer", body, {"Content-Type": "application/json"})
        response = connection.getresponse()
        text = response.read()
        assert response.status == 200, text
        return json.loads(text).get("result", "undefined")

    return ask


@pytest.fixture(scope="session")
def ask_embedded() -> Ask:
    return embedded(DATA.read_text())


@pytest.fixture(scope="session")
def opa() -> Iterator[HTTPConnection]:
    port = free_port()
    command = [opa_binary(), "run", "--server", "--addr", f"127.0.0.1:{port}", "--log-level", "error"]
    command += ["--disable-telemetry", *map(str, REGO), str(DATA)]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    connection = HTTPConnection("127.0.0.1", port)
    try:
        wait_until_healthy(server, port)
        yield connection
    finally:
        connection.close()
        server.terminate()
        server.wait()


@pytest.fixture(scope="session")
def ask_opa(opa: HTTPConnection) -> Ask:
    return over_http(opa)


@contextmanager
def without(opa: HTTPConnection, path: list[str]) -> Iterator[Ask]:
    """Take one part of the data away from OPA, and give it back."""
    url = "/v1/data/" + "/".join(path)
    part = reduce(getitem, path, REGISTER)
    send(opa, "DELETE", url)
    try:
        yield over_http(opa)
    finally:
        send(opa, "PUT", url, json.dumps(part))


def send(opa: HTTPConnection, method: str, url: str, body: str | None = None) -> None:
    opa.request(method, url, body, {"Content-Type": "application/json"})
    response = opa.getresponse()
    text = response.read()
    assert response.status == 204, text


# The cases


def all_cases() -> list[Any]:
    files = [path for path in sorted(CASES.glob("*.yaml")) if path.stem != "base"]
    return [
        pytest.param(case, id=f"{path.stem}: {case['description']}")
        for path in files
        for case in yaml.safe_load(path.read_text())["cases"]
    ]


def place_of(facts: Facts, dotted: str) -> tuple[Facts, str]:
    *parents, last = dotted.split(".")
    for parent in parents:
        facts = facts[parent]
    return facts, last


def facts_of(case: dict[str, Any]) -> Facts:
    facts = copy.deepcopy(BASE)
    for dotted, value in case["given"].items():
        place, last = place_of(facts, dotted)
        place[last] = value
    for dotted in case.get("missing", []):
        place, last = place_of(facts, dotted)
        del place[last]
    return facts


def reason(written: str | dict[str, str]) -> dict[str, str]:
    """Turn ``consent_refused`` or ``consent_refused: channel`` into the reason the policy answers."""
    if isinstance(written, str):
        return {"code": written}
    ((code, detail),) = written.items()
    return {"code": code, "detail": detail}


def obligation(written: dict[str, dict[str, Any]]) -> dict[str, Any]:
    ((kind, properties),) = written.items()
    return {"type": kind, "properties": properties}


def check(case: dict[str, Any], answer: dict[str, Any]) -> None:
    expected = case["expected"]

    assert answer["decision"] is expected["decision"]
    assert answer["level"] == expected.get("level")
    assert answer["reasons"] == [reason(written) for written in expected["reasons"]]
    assert answer["obligations"] == [obligation(written) for written in expected["obligations"]]
    for optional in ("legal_basis", "requestable"):
        assert answer[optional] == expected.get(optional, answer[optional])


@pytest.mark.parametrize("case", all_cases())
def test_embedded_engine_answers_the_case(case: dict[str, Any], ask_embedded: Ask) -> None:
    check(case, ask_embedded(facts_of(case)))


@pytest.mark.parametrize("case", all_cases())
def test_opa_answers_the_case_like_the_embedded_engine(case: dict[str, Any], ask_embedded: Ask, ask_opa: Ask) -> None:
    facts = facts_of(case)

    answer = ask_opa(facts)

    check(case, answer)
    assert answer == ask_embedded(facts)


def test_every_code_of_the_policy_has_a_case() -> None:
    source = (ROOT / "policies" / "rego" / "reasons.rego").read_text()
    table = source.split("precedence := {")[1].split("}")[0]
    codes = {line.split('"')[1] for line in table.splitlines() if '"' in line}

    given_in_cases = {
        reason(written)["code"] for case in all_cases() for written in case.values[0]["expected"]["reasons"]
    }

    assert codes == given_in_cases


def test_the_revision_of_the_data_is_in_the_answer(ask_embedded: Ask) -> None:
    assert ask_embedded(BASE)["revision"] == REGISTER["revision"]


# Random facts. `well_formed` is written from the contract, not from the policy.

STATES = ["given", "refused", "withdrawn", "expired", "renewal_required", "never_asked", "not_required"]
HOSTILE: list[Any] = [
    None, True, False, 0, -1, 2**53 - 1, 0.5, "", "given", "adult", "true", "*", "\u0000", "ключ", "a" * 300,
    [], ["*"], [None], [[]], {}, {"": {}}, {"state": "given"}, [{"code": 1}],
]  # fmt: skip


def pick(rng: random.Random, *likely: Any, other: list[Any] | None = None) -> Any:
    """Choose the first of ``likely`` about half the time, so that permits stay frequent."""
    return likely[0] if rng.random() < 0.5 else copy.deepcopy(rng.choice([*likely, *(other or [])]))


def some_of(rng: random.Random, pool: list[str], at_most: int) -> list[str]:
    return rng.sample(pool, rng.randint(0, at_most))


def random_model(rng: random.Random) -> Facts | None:
    if rng.random() < 0.5:
        return None
    return {
        "id": "basket",
        "version": 3,
        "status": pick(rng, "live", "draft", "suspended", "retired", "unknown"),
        "max_level": pick(rng, "individual", "none", "segment", "behavioral", "nonsense"),
        "purposes": pick(rng, list(REGISTER["purposes"]), [], ["recommendations"]),
        "gates": pick(rng, "passed", "failed", "pending"),
    }


def random_facts(rng: random.Random) -> Facts:
    """Draw a well-formed fact sheet, permits and denials mixed."""
    purposes = REGISTER["purposes"]
    purpose = pick(rng, *rng.sample(list(purposes), len(purposes)), "unheard_of")
    entry = purposes.get(purpose, purposes["recommendations"])
    actions = ["personalize", "collect", "share", "train", "release", "price", "contact", "transfer", "dance"]
    categories = [*entry["data_categories"], "health", "religion", "device", "views", "unheard_of"]
    return {
        "action": pick(rng, rng.choice(entry["actions"]), *actions),
        "purpose": purpose,
        "requested_level": pick(rng, "individual", "none", "segment", "behavioral", "contextual", "nonsense"),
        "consent": {
            "state": pick(rng, "given", *STATES),
            "explicit": rng.random() < 0.5,
            "notice_current": rng.random() < 0.9,
            "channel_allowed": rng.random() < 0.9,
            "source": "dashboard",
        },
        "ancestors": {slug: pick(rng, "given", *STATES) for slug in some_of(rng, ["personalization", "x", "y"], 2)},
        "objection": rng.random() < 0.05,
        "restricted": rng.random() < 0.05,
        "held": rng.random() < 0.05,
        "subject": {
            "region": pick(rng, "DE", "GB", "US", "US-CA", "XX"),
            "jurisdiction": pick(rng, "gdpr", "uk-gdpr", "us-ca", "us-other", "nowhere"),
            "age_band": pick(rng, "adult", "adult", "minor", "child", "unknown"),
            "known": rng.random() < 0.95,
        },
        "signals": {"gpc": rng.random() < 0.3, "gpp_opt_out": rng.random() < 0.2, "tcf_purposes": []},
        "processing": {
            "region": pick(rng, "eu-central", "us-east", "uk-south", "moon-1"),
            "recipient": pick(rng, "ad-partner", None, "parcel-carrier", "data-broker"),
            "channel": pick(rng, "email", "web", None),
            "data_categories": pick(rng, entry["data_categories"][:2], some_of(rng, sorted(set(categories)), 4)),
            "sensitive": pick(rng, [], some_of(rng, ["views", "purchases", "health"], 2)),
            "expired_instruments": pick(rng, [], some_of(rng, ["eu-us-dpf", "eu-uk-adequacy", "uk-eu-adequacy"], 3)),
        },
        "model": random_model(rng),
        "engine": {
            "segment_k": pick(rng, 41, 20, 19, 0, None),
            "privacy_budget": pick(rng, "available", "exhausted", "unknown"),
        },
        "time": {"quiet_hours": rng.random() < 0.2},
    }


def paths_of(facts: Facts) -> list[str]:
    nested = [f"{name}.{inner}" for name, part in facts.items() if isinstance(part, dict) for inner in part]
    return [*facts, *nested]


def spoil(rng: random.Random, facts: Facts) -> Facts:
    """Remove one part of the sheet, or put something hostile in its place."""
    place, last = place_of(facts, rng.choice(paths_of(facts)))
    if rng.random() < 0.3:
        del place[last]
    else:
        place[last] = copy.deepcopy(rng.choice(HOSTILE))
    return facts


def is_strings(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(entry, str) for entry in value)


def is_number_or_null(value: Any) -> bool:
    return value is None or (isinstance(value, int | float) and not isinstance(value, bool))


def is_known_state(value: Any) -> bool:
    return isinstance(value, str) and value in STATES


def is_string_or_null(value: Any) -> bool:
    return value is None or isinstance(value, str)


def is_age_band(value: Any) -> bool:
    return isinstance(value, str) and value in {"adult", "minor", "child", "unknown"}


def is_yes_or_no(value: Any) -> bool:
    return isinstance(value, bool)


def is_text(value: Any) -> bool:
    return isinstance(value, str)


def is_ancestors(value: Any) -> bool:
    return isinstance(value, dict) and all(is_known_state(state) for state in value.values())


SHAPE: dict[str, Callable[[Any], bool]] = {
    "action": is_text,
    "purpose": is_text,
    "consent.state": is_known_state,
    "consent.explicit": is_yes_or_no,
    "consent.notice_current": is_yes_or_no,
    "consent.channel_allowed": is_yes_or_no,
    "ancestors": is_ancestors,
    "objection": is_yes_or_no,
    "restricted": is_yes_or_no,
    "held": is_yes_or_no,
    "subject.region": is_text,
    "subject.jurisdiction": is_text,
    "subject.age_band": is_age_band,
    "subject.known": is_yes_or_no,
    "signals.gpc": is_yes_or_no,
    "signals.gpp_opt_out": is_yes_or_no,
    "processing.region": is_text,
    "processing.recipient": is_string_or_null,
    "processing.channel": is_string_or_null,
    "processing.data_categories": is_strings,
    "processing.sensitive": is_strings,
    "processing.expired_instruments": is_strings,
    "engine.segment_k": is_number_or_null,
    "engine.privacy_budget": is_text,
    "time.quiet_hours": is_yes_or_no,
}
MODEL_SHAPE: dict[str, Callable[[Any], bool]] = {
    "model.status": is_text,
    "model.max_level": is_text,
    "model.purposes": is_strings,
    "model.gates": is_text,
}


def has_shape(facts: Facts, dotted: str, right: Callable[[Any], bool]) -> bool:
    try:
        place, last = place_of(facts, dotted)
        return right(place[last])
    except (KeyError, TypeError, IndexError):
        return False


def well_formed(facts: Facts) -> bool:
    shape = SHAPE if facts.get("model", "missing") is None else SHAPE | MODEL_SHAPE
    return all(has_shape(facts, dotted, right) for dotted, right in shape.items())


def refusal_is_stored(facts: Facts) -> bool:
    no = ("refused", "withdrawn")
    state = facts["consent"]["state"]
    broader = facts["ancestors"].values()
    return state in no or (state in ("never_asked", "not_required") and any(each in no for each in broader))


def assert_safe(facts: Facts, answer: dict[str, Any]) -> None:
    assert set(answer) == {
        "revision", "decision", "level", "reasons", "obligations", "legal_basis", "requestable",
    }  # fmt: skip
    nothing_asked = facts.get("action") == "personalize" and facts.get("requested_level") not in LEVELS_ABOVE_NONE
    assert answer["decision"] or answer["reasons"] or nothing_asked, "a denial without a reason"
    assert len({json.dumps(each) for each in answer["reasons"]}) == len(answer["reasons"])
    if answer["decision"]:
        assert well_formed(facts)
        assert not refusal_is_stored(facts)
        assert not answer["requestable"]
        assert (answer["level"] in LEVELS_ABOVE_NONE) == (facts["action"] == "personalize")
        assert {each["code"] for each in answer["reasons"]} <= CAPS
    else:
        assert answer["level"] in ("none", None)


LEVELS_ABOVE_NONE = ["segment", "behavioral", "contextual", "individual"]
CAPS = {
    "minor", "sensitive_without_explicit_consent", "category_not_allowed",
    "level_capped_by_signal", "level_capped_by_model", "level_capped_by_purpose",
}  # fmt: skip


def drawn_facts(count: int = RANDOM_FACTS) -> list[Facts]:
    rng = random.Random(SEED)
    sheets = []
    for number in range(count):
        facts = random_facts(rng)
        for _ in range(number % 3 if number % 2 else 0):
            spoil(rng, facts)
        sheets.append(facts)
    return sheets


def test_random_facts_are_answered_safely(ask_embedded: Ask) -> None:
    permits = 0

    for facts in drawn_facts():
        answer = ask_embedded(facts)
        assert_safe(facts, answer)
        permits += answer["decision"]

    assert permits > RANDOM_FACTS // 40, "too few permits for the test to mean anything"


def test_random_facts_are_answered_alike_by_both_engines(ask_embedded: Ask, ask_opa: Ask) -> None:
    for facts in drawn_facts():
        assert ask_opa(facts) == ask_embedded(facts), json.dumps(facts)


def test_one_spoilt_fact_is_answered_alike_and_never_permitted(ask_embedded: Ask, ask_opa: Ask) -> None:
    for dotted in [
        *SHAPE,
        *MODEL_SHAPE,
        "model",
        "requested_level",
        "consent",
        "subject",
        "processing",
        "engine",
    ]:
        for hostile in HOSTILE:
            facts = copy.deepcopy(BASE)
            place, last = place_of(facts, dotted)
            place[last] = hostile

            answer = ask_embedded(facts)

            assert_safe(facts, answer)
            assert ask_opa(facts) == answer, json.dumps(facts)


def test_a_stored_refusal_is_never_permitted(ask_embedded: Ask) -> None:
    for number, facts in enumerate(drawn_facts()):
        if well_formed(facts):
            facts["consent"]["state"] = ("refused", "withdrawn")[number % 2]
            answer = ask_embedded(facts)
            assert not answer["decision"]
            assert not answer["requestable"]


def parts_of_the_data() -> list[list[str]]:
    purpose = [["purposes", "recommendations", field] for field in REGISTER["purposes"]["recommendations"]]
    law = [["jurisdictions", "gdpr", field] for field in REGISTER["jurisdictions"]["gdpr"]]
    residency = [["residency", key] for key in REGISTER["residency"]]
    return [*([key] for key in REGISTER), *residency, *purpose, *law]


@pytest.mark.parametrize("path", parts_of_the_data(), ids="/".join)
def test_data_with_a_part_missing_permits_nothing_new(path: list[str], opa: HTTPConnection, ask_embedded: Ask) -> None:
    data = copy.deepcopy(REGISTER)
    del reduce(getitem, path[:-1], data)[path[-1]]
    ask_incomplete = embedded(json.dumps(data))

    with without(opa, path) as ask_incomplete_opa:
        for facts in drawn_facts(100):
            answer = ask_incomplete(facts)
            assert answer["decision"] <= ask_embedded(facts)["decision"]
            assert ask_incomplete_opa(facts) == answer, json.dumps(facts)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
parts = st.dictionaries(st.sampled_from([path.split(".")[-1] for path in SHAPE]), json_values, max_size=6)
shapes = st.dictionaries(st.sampled_from([*BASE, "unheard_of"]), json_values | parts, max_size=len(BASE))


@settings(max_examples=300, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@given(changes=shapes)
def test_facts_of_any_shape_are_answered_alike_and_safely(changes: Facts, ask_embedded: Ask, ask_opa: Ask) -> None:
    for facts in (changes, BASE | changes):
        answer = ask_embedded(facts)
        assert_safe(facts, answer)
        assert ask_opa(facts) == answer
