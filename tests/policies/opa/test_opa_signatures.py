"""A real OPA server that pulls signed bundles: takes what Assent signed for it, and says what is wrong."""

import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import requests
from cryptography.hazmat.primitives.asymmetric import ec
from django.conf import settings

from audit import signing
from policies.bundles import bundle_file, bundle_keys, loading, publishing
from policies.bundles.bundle_keys import BundleKey
from policies.bundles.loading import LoadedBundle
from policies.engines import EngineUnavailable
from policies.engines.opa import OpaEngine
from policies.models import ActiveBundle, OpaInstance, Region
from policies.opa import bundle_files
from tests.helpers.fact_sheets import BASE, FACTS
from tests.helpers.live_assent import configuration, eventually, live_assent, pulls, turn
from tests.helpers.paths import CHECKOUT
from tests.helpers.policy_engines import OpaProcess, opa_process

SHIPPED = CHECKOUT / "deploy/opa/pull.yaml"
SOMEBODY = BundleKey(ec.generate_private_key(ec.SECP256R1()))
POLLING = {"min_delay_seconds": 1, "max_delay_seconds": 1}
REPORTING = {"status": {"service": "assent"}}
Files = dict[str, bytes]
Tamper = Callable[[Files], Files]


@pytest.fixture
def assent(shop_token: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[str, list[tuple[str, str, int]]]]:
    # The tests' server answers one request at a time: a long wait would hold up the reports.
    monkeypatch.setattr(settings, "OPA_LONG_POLL_S", 1)
    with live_assent() as live:
        yield live


def _in_force() -> str:
    with turn:
        return ActiveBundle.objects.get().bundle_id


def _change_the_rules(zone: str = "Europe/Vienna") -> str:
    with turn:
        Region.objects.filter(code="DE").update(time_zone=zone)
        return publishing.publish("another zone", "test").revision


def _revision(opa: OpaProcess) -> str | None:
    url = f"{opa.url}/v1/data/governance/decision/answer"
    answer = requests.post(url, json={"input": BASE}, timeout=120).json()
    return answer.get("result", {}).get("revision")


def _told() -> str:
    """What the last status of the server says is wrong."""
    with turn:
        return " ".join(error for instance in OpaInstance.objects.all() for error in instance.errors)


def _pinned(folder: Path, url: str, token: str, key: dict[str, str] | None = None) -> tuple[str, ...]:
    """A server that was told our key by hand, and reports."""
    with turn:
        current = bundle_keys.current()
    bundle = {
        "service": "assent",
        "resource": f"bundles/{current.kid}/active.tar.gz",
        "signing": {"keyid": "assent", "scope": bundle_files.IN_FORCE},
        "polling": POLLING,
    }
    keys = {"assent": key or current.for_opa()}
    return configuration(folder, url, token, bundles={"assent": bundle}, keys=keys, **REPORTING)


def _flip_a_rule(files: Files) -> Files:
    return {**files, "decision.rego": files["decision.rego"].replace(b'"decision": false', b'"decision": true')}


def _flip_a_row(files: Files) -> Files:
    return {**files, "data.json": files["data.json"].replace(b"consent", b"contract", 1)}


def _slip_a_module_in(files: Files) -> Files:
    return {**files, "more.rego": b"package governance.decision\npermitted if true\n"}


def _take_the_signature_off(files: Files) -> Files:
    return {name: content for name, content in files.items() if name != ".signatures.json"}


def _signed_otherwise(key: BundleKey | None, scope: str) -> Tamper:
    def tamper(files: Files) -> Files:
        files = _take_the_signature_off(_flip_a_row(files))
        return bundle_file.signed(files, (key or bundle_keys.current()).sign, scope=scope)

    return tamper


TAMPERED: dict[str, tuple[Tamper, str]] = {
    "a rule": (_flip_a_rule, "digest mismatch"),
    "a row": (_flip_a_row, "digest mismatch"),
    "a module slipped in": (_slip_a_module_in, "not included in bundle signature"),
    "no signature": (_take_the_signature_off, "missing .signatures.json"),
    "a key of somebody else": (
        _signed_otherwise(SOMEBODY, bundle_files.IN_FORCE),
        "invalid ECDSA signature",
    ),
    "our key, signed to be looked at": (_signed_otherwise(None, ""), "scope mismatch"),
    "our key, signed as a configuration": (_signed_otherwise(None, bundle_files.DISCOVERY), "scope mismatch"),
}


def test_a_server_that_was_told_our_key_takes_nothing_that_was_tampered_with(
    assent: tuple[str, list[Any]], shop_token: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url, _ = assent
    first, honest = _in_force(), bundle_files._signed
    with opa_process(*_pinned(tmp_path, url, shop_token)) as opa:
        assert eventually(lambda: _revision(opa) == first)
        assert _told() == ""

        for number, (tamper, complaint) in enumerate(TAMPERED.values()):
            monkeypatch.setattr(bundle_files, "_signed", lambda *a, tamper=tamper, **named: tamper(honest(*a, **named)))
            _change_the_rules(f"Etc/GMT+{number + 1}")

            assert eventually(lambda complaint=complaint: complaint in _told()), (complaint, _told())
            assert _revision(opa) == first

        monkeypatch.setattr(bundle_files, "_signed", honest)
        last = _change_the_rules()
        assert eventually(lambda: _revision(opa) == last)
        assert eventually(lambda: _told() == "")


def test_a_server_that_was_told_another_key_takes_nothing_and_says_so(
    assent: tuple[str, list[Any]], shop_token: str, tmp_path: Path
) -> None:
    url, asked = assent
    with opa_process(*_pinned(tmp_path, url, shop_token, SOMEBODY.for_opa())) as opa:
        assert eventually(lambda: "invalid ECDSA signature" in _told())
        assert pulls(asked, 200)
        assert _revision(opa) is None
        with pytest.raises(EngineUnavailable), turn:
            OpaEngine(opa.url, timeout_ms=60_000, push=False).evaluate(loading.loaded(_in_force()), FACTS)


def test_an_old_bundle_with_a_good_signature_is_told_apart_by_its_revision(
    assent: tuple[str, list[Any]], shop_token: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url, _ = assent
    old, make = loading.loaded(_in_force()), bundle_files.tarball
    new = _change_the_rules()
    monkeypatch.setattr(bundle_files, "tarball", lambda _, key: make(old, key))

    with opa_process(*_pinned(tmp_path, url, shop_token)) as opa:
        assert eventually(lambda: _revision(opa) == old.revision)
        with turn:
            bundle = loading.loaded(new)
        with pytest.raises(EngineUnavailable):
            OpaEngine(opa.url, timeout_ms=60_000, push=False).evaluate(bundle, FACTS)
        assert eventually(lambda: _reported() == old.revision)


def _reported() -> str:
    with turn:
        return next((instance.bundle_revision for instance in OpaInstance.objects.all()), "")


def test_a_killed_server_comes_back_with_the_signed_revision_of_today(
    assent: tuple[str, list[Any]], shop_token: str, tmp_path: Path
) -> None:
    url, _ = assent
    first = _in_force()
    with opa_process(*_pinned(tmp_path, url, shop_token)) as opa:
        assert eventually(lambda: _revision(opa) == first)

        opa.kill()
        second = _change_the_rules()
        opa.start()

        assert eventually(lambda: _revision(opa) == second)


def test_a_bundle_that_comes_slowly_is_waited_for_and_the_old_one_decides_meanwhile(
    assent: tuple[str, list[Any]], shop_token: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url, asked = assent
    first, make, slow, is_looked_at = _in_force(), bundle_files.tarball, [], threading.Event()

    def slowly(bundle: LoadedBundle, key: Any) -> bytes:
        slow.append(bundle.revision)
        is_looked_at.wait(120)
        return make(bundle, key)

    with opa_process(*_pinned(tmp_path, url, shop_token)) as opa:
        assert eventually(lambda: _revision(opa) == first)
        monkeypatch.setattr(bundle_files, "tarball", slowly)
        second = _change_the_rules()

        assert eventually(lambda: slow == [second])
        assert _revision(opa) == first
        is_looked_at.set()
        assert eventually(lambda: _revision(opa) == second)
        assert eventually(lambda: pulls(asked, 304) > 0)


def test_a_server_with_the_shipped_configuration_verifies_and_outlives_a_rotation_until_the_grace_ends(
    assent: tuple[str, list[Any]], shop_token: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url, asked = assent
    (tmp_path / "token").write_text(shop_token)
    with turn:
        key = bundle_keys.current()
    told = {
        "ASSENT_URL": url.removesuffix("/api/v1/opa"),
        "ASSENT_TOKEN_FILE": str(tmp_path / "token"),
        "ASSENT_INSTANCE": "opa-1",
        "ASSENT_KEY_ID": key.kid,
        "ASSENT_PUBLIC_KEY": "".join(key.public_pem().splitlines()[1:-1]),
    }
    for name, value in told.items():
        monkeypatch.setenv(name, value)
    with opa_process("--config-file", str(SHIPPED)) as opa:
        first = _in_force()
        assert eventually(lambda: _revision(opa) == first)

        with turn:
            signing.rotate(actor="test")
        second = _change_the_rules()
        assert eventually(lambda: _revision(opa) == second)

        monkeypatch.setattr(signing, "GRACE", timedelta())
        assert eventually(lambda: pulls(asked, 404))
        _change_the_rules("Etc/GMT+9")
        seen = pulls(asked, 404)
        assert eventually(lambda: pulls(asked, 404) > seen)
        assert eventually(lambda: "404" in _told() or "Not Found" in _told()), _told()
        assert _revision(opa) == second


def test_a_server_that_knows_only_where_assent_is_follows_a_rotation_by_itself(
    assent: tuple[str, list[Any]], shop_token: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url, asked = assent
    discovery = {"service": "assent", "resource": "discovery.tar.gz", "polling": POLLING}
    with opa_process(*configuration(tmp_path, url, shop_token, discovery=discovery)) as opa:
        first = _in_force()
        assert eventually(lambda: _revision(opa) == first)

        with turn:
            signing.rotate(actor="test")
            new = bundle_keys.current().kid
        # The key of before is not even needed once the new configuration has arrived.
        assert eventually(lambda: any(f"bundles/{new}/" in path for _method, path, _status in asked))
        monkeypatch.setattr(signing, "GRACE", timedelta())
        second = _change_the_rules()

        assert eventually(lambda: _revision(opa) == second)


def test_a_server_that_knows_our_key_takes_no_configuration_of_anybody_else(
    assent: tuple[str, list[Any]], shop_token: str, tmp_path: Path
) -> None:
    url, asked = assent
    with turn:
        key = bundle_keys.current()
    for resource, is_taken in ((f"discovery/{key.kid}.tar.gz", True), ("discovery.tar.gz", False)):
        discovery = {
            "service": "assent",
            "resource": resource,
            "signing": {"keyid": "assent", "scope": bundle_files.DISCOVERY},
            "polling": POLLING,
        }
        keys = {"assent": key.for_opa()}
        seen = len(asked)
        with opa_process(*configuration(tmp_path, url, shop_token, discovery=discovery, keys=keys)) as opa:
            # Asked for anew, the first one was read: taken, or refused.
            assert eventually(lambda seen=seen, name=resource: _pulls_of(name, asked[seen:]) > 1)
            assert eventually(lambda opa=opa: _revision(opa) == _in_force()) if is_taken else _revision(opa) is None


def _pulls_of(resource: str, asked: list[tuple[str, str, int]]) -> int:
    return sum(1 for _method, path, _status in asked if path.endswith(resource))
