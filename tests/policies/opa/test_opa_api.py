"""What OPA servers ask of Assent, at the border: bundle, discovery, status and decision logs."""

import gzip
import hashlib
import io
import json
import tarfile
import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from django.conf import settings
from django.db import DatabaseError, transaction
from django.utils import timezone

from audit import jws, signing
from common.http.rate_limit import RateLimit
from policies.bundles import bundle_keys, loading, publishing
from policies.decision_log import chain
from policies.endpoints import credentials
from policies.models import ActiveBundle, Bundle, ExternalDecision, OpaInstance, ServiceCredential
from policies.opa import bundle_files, long_poll, status
from tests.helpers.fact_sheets import BASE
from tests.helpers.wsgi_calls import WsgiResponse, assert_problem, call

UNSIGNED, BUNDLES = "/api/v1/opa/bundles/unsigned.tar.gz", "/api/v1/opa/bundles"
BUNDLE, DISCOVERY = "/api/v1/opa/bundles/active.tar.gz", "/api/v1/opa/discovery.tar.gz"
STATUS, LOGS = "/api/v1/opa/status", "/api/v1/opa/logs"
LONG_POLLING = "application/vnd.openpolicyagent.bundles"


def _get(path: str, token: str | None, **headers: str) -> WsgiResponse:
    environ = {f"HTTP_{name.upper()}": value for name, value in headers.items()}
    return call(b"", token, path=path, method="GET", CONTENT_LENGTH="0", **environ)


def _files(packed: bytes) -> dict[str, bytes]:
    with tarfile.open(fileobj=io.BytesIO(packed), mode="r:gz") as archive:
        return {entry.name.lstrip("/"): archive.extractfile(entry).read() for entry in archive}  # type: ignore[union-attr]


def _in_force() -> str:
    return ActiveBundle.objects.get().bundle_id


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", BUNDLE),
        ("GET", f"{BUNDLES}/x/active.tar.gz"),
        ("GET", UNSIGNED),
        ("GET", DISCOVERY),
        ("GET", "/api/v1/opa/discovery/x.tar.gz"),
        ("POST", STATUS),
        ("POST", LOGS),
    ],
)
def test_only_a_credential_with_the_scope_gets_anything(shop_token: str, method: str, path: str) -> None:
    others = [scope for scope in ServiceCredential.Scope.values if scope != "opa"]
    without = credentials.create_credential(name="all-else", scopes=others, actor="test")[0]

    assert_problem(call(b"[]", None, path=path, method=method), 401, "unauthenticated")
    assert_problem(call(b"[]", "wrong", path=path, method=method), 401, "unauthenticated")
    assert_problem(call(b"[]", without, path=path, method=method), 403, "forbidden")


def _tag() -> str:
    return f"{_in_force()}.{bundle_keys.current().kid}"


def _rotated() -> bundle_keys.BundleKey:
    signing.rotate(actor="test")
    return bundle_keys.current()


def _payload(files: dict[str, bytes]) -> dict[str, Any]:
    """What was signed, with which key. The signature holds, or this fails."""
    [token] = json.loads(files[".signatures.json"])["signatures"]
    header, payload, signature = token.split(".")
    kid = json.loads(jws.decode(header))["kid"]
    key = next(key for key in bundle_keys.usable() if key.kid == kid)
    raw = jws.decode(signature)
    both = encode_dss_signature(int.from_bytes(raw[:32]), int.from_bytes(raw[32:]))
    key.private.public_key().verify(both, f"{header}.{payload}".encode(), ec.ECDSA(SHA256()))
    return {**json.loads(jws.decode(payload)), "kid": kid}


def test_the_bundle_is_the_revision_in_force_in_opas_format(shop_token: str) -> None:
    answer = _get(BUNDLE, shop_token)

    files = _files(answer.body)
    assert (answer.status, answer.headers["ETag"], answer.content_type) == (200, f'"{_tag()}"', LONG_POLLING)
    assert json.loads(files[".manifest"]) == {"revision": _in_force(), "roots": [""], "rego_version": 1}
    assert json.loads(files["data.json"])["revision"] == _in_force()
    assert {name for name in files if name.endswith(".rego")} == set(publishing.read_policies())


def test_every_file_of_the_bundle_is_under_the_signature_for_this_use(shop_token: str) -> None:
    files = _files(_get(BUNDLE, shop_token).body)

    payload = _payload(files)
    assert {entry["name"] for entry in payload["files"]} == set(files) - {".signatures.json"}
    assert {entry["hash"] for entry in payload["files"]} >= {hashlib.sha256(files["data.json"]).hexdigest()}
    assert (payload["scope"], payload["kid"]) == ("assent/in-force", bundle_keys.current().kid)


def test_a_revision_is_packed_into_the_same_bytes_wherever_it_is_packed(shop_token: str) -> None:
    bundle, key = loading.loaded(_in_force()), bundle_keys.current()
    packed = bundle_files.tarball(bundle, key)

    bundle_files._packed.clear()

    assert bundle_files.tarball(bundle, key) == packed


def test_a_retired_key_signs_for_a_week_for_those_who_ask_by_its_name(
    shop_token: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = bundle_keys.current().kid
    second = _rotated().kid

    signed_by = [
        _payload(_files(_get(path, shop_token).body))["kid"]
        for path in (f"{BUNDLES}/{first}/active.tar.gz", f"{BUNDLES}/{second}/active.tar.gz", BUNDLE)
    ]
    monkeypatch.setattr(signing, "GRACE", timedelta())

    assert signed_by == [first, second, second]
    assert_problem(_get(f"{BUNDLES}/{first}/active.tar.gz", shop_token), 404, "not_found")
    assert_problem(_get(f"{BUNDLES}/unheard-of/active.tar.gz", shop_token), 404, "not_found")


def test_a_changed_secret_ends_all_keys_at_once(shop_token: str, monkeypatch: pytest.MonkeyPatch) -> None:
    stolen = bundle_keys.current().kid
    monkeypatch.setattr(settings, "SECRET_KEY", "another secret of this installation")

    assert_problem(_get(f"{BUNDLES}/{stolen}/active.tar.gz", shop_token), 404, "not_found")
    assert_problem(_get(BUNDLE, shop_token), 503, "signing_key_unavailable")
    signing.rotate(actor="test")
    assert _payload(_files(_get(BUNDLE, shop_token).body))["kid"] != stolen


def test_an_unsigned_bundle_is_given_out_only_where_the_operator_says_so(
    shop_token: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert_problem(_get(UNSIGNED, shop_token), 404, "not_found")

    monkeypatch.setattr(settings, "OPA_UNSIGNED_BUNDLES", True)

    answer = _get(UNSIGNED, shop_token)
    assert (answer.status, answer.headers["ETag"]) == (200, f'"{_in_force()}"')
    assert ".signatures.json" not in _files(answer.body)
    assert ".signatures.json" in _files(_get(BUNDLE, shop_token).body)


@pytest.mark.parametrize("tags", ['"{}"', 'W/"{}"', '"x", "{}"'])
def test_who_has_the_revision_gets_no_bytes(shop_token: str, tags: str) -> None:
    answer = _get(BUNDLE, shop_token, if_none_match=tags.format(_tag()))

    assert (answer.status, answer.body, answer.content_type) == (304, b"", LONG_POLLING)
    assert _get(BUNDLE, shop_token, if_none_match='"sha256:other"').status == 200


class Waiting:
    """Stands for ``time`` in the long polling: it passes by being slept through."""

    def __init__(self) -> None:
        self.slept = 0.0

    def monotonic(self) -> float:
        return self.slept

    def sleep(self, seconds: float) -> None:
        self.slept += seconds


@pytest.fixture
def waiting(monkeypatch: pytest.MonkeyPatch) -> Waiting:
    waiting = Waiting()
    monkeypatch.setattr(long_poll, "time", waiting)
    return waiting


def test_who_wants_to_wait_is_kept_waiting_no_longer_than_is_allowed(
    shop_token: str, waiting: Waiting, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings, "OPA_LONG_POLL_S", 1)

    answer = _get(BUNDLE, shop_token, if_none_match=f'"{_tag()}"', prefer="modes=snapshot,delta;wait=600")

    assert (answer.status, answer.content_type) == (304, LONG_POLLING)
    assert waiting.slept == 1


def test_where_enough_wait_already_the_answer_comes_at_once(
    shop_token: str, waiting: Waiting, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(long_poll, "_waiting", settings.OPA_LONG_POLL_WAITERS)

    answer = _get(BUNDLE, shop_token, if_none_match=f'"{_tag()}"', prefer="modes=snapshot;wait=10")

    # This type tells OPA to come back after its ordinary pause instead of at once.
    assert (answer.status, answer.content_type) == (304, "application/gzip")
    assert waiting.slept == 0


def test_another_revision_ends_the_wait(waiting: Waiting) -> None:
    revisions = iter(["a", "a", "b"])

    assert long_poll.wait_for_another("a", 30, read=lambda: next(revisions))

    assert 0 < waiting.slept < 30
    assert long_poll._waiting == 0


def test_without_a_bundle_in_force_there_is_nothing_to_pull(shop_token: str) -> None:
    ActiveBundle.objects.all().delete()

    assert_problem(_get(BUNDLE, shop_token), 503, "unavailable")


def test_a_bundle_that_cannot_be_read_is_not_given_out(
    shop_token: str, as_attacker: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loading, "_loaded", {})
    monkeypatch.setattr(bundle_files, "_packed", {})
    as_attacker("UPDATE policies_bundle SET data = 'nonsense'")

    assert_problem(_get(BUNDLE, shop_token), 503, "unavailable")


def test_the_discovery_document_names_what_to_pull_and_where_to_report(shop_token: str) -> None:
    answer = _get(DISCOVERY, shop_token)

    document = json.loads(_files(answer.body)["data.json"])
    assert answer.headers["ETag"] == f'"sha256:{hashlib.sha256(answer.body).hexdigest()}"'
    assert document["bundles"]["assent"]["resource"] == f"bundles/{bundle_keys.current().kid}/active.tar.gz"
    assert set(document) == {"bundles", "decision_logs", "keys", "status"}
    assert shop_token not in json.dumps(document)
    assert _get(DISCOVERY, shop_token, if_none_match=answer.headers["ETag"]).status == 304


def test_the_discovery_document_names_the_key_and_after_a_rotation_both(shop_token: str) -> None:
    first = bundle_keys.current()
    before = json.loads(_files(_get(DISCOVERY, shop_token).body)["data.json"])
    second = _rotated()

    after = json.loads(_files(_get(DISCOVERY, shop_token).body)["data.json"])

    assert before["keys"] == {first.kid: {"algorithm": "ES256", "key": first.public_pem()}}
    assert before["bundles"]["assent"]["signing"] == {"keyid": first.kid, "scope": "assent/in-force"}
    assert list(after["keys"]) == sorted([first.kid, second.kid])
    assert after["bundles"]["assent"]["signing"]["keyid"] == second.kid


def test_who_knows_a_key_already_gets_the_discovery_document_signed(shop_token: str) -> None:
    key = bundle_keys.current().kid

    files = _files(_get(f"/api/v1/opa/discovery/{key}.tar.gz", shop_token).body)

    assert (_payload(files)["scope"], _payload(files)["kid"]) == ("assent/discovery", key)
    assert files["data.json"] == _files(_get(DISCOVERY, shop_token).body)["data.json"]
    assert_problem(_get("/api/v1/opa/discovery/other.tar.gz", shop_token), 404, "not_found")


def _status(**members: Any) -> dict[str, Any]:
    bundle = {"active_revision": _in_force(), "last_successful_activation": "2026-11-21T08:00:00.123456789Z"}
    return {"labels": {"id": "x", "instance": "opa-1"}, "bundles": {"assent": bundle}, "metrics": {"a": 1.5}, **members}


def test_the_last_status_of_a_server_is_kept(shop_token: str) -> None:
    assert call(_status(), shop_token, path=STATUS).status == 200
    failed = {"code": "bundle_error", "message": "verification\nfailed " + "x" * 900}
    assert call(_status(bundles={"assent": failed}), shop_token, path=STATUS).status == 200

    instance = OpaInstance.objects.get()

    assert (instance.name, instance.caller, instance.bundle_revision) == ("opa-1", "service:shop", "")
    assert instance.errors[0].startswith("bundle_error: verification failed x")
    assert len(instance.errors[0]) == 300


def test_servers_that_name_themselves_anew_do_not_fill_the_table(
    shop_token: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(status, "MAX_INSTANCES", 3)

    for number in range(5):
        call(_status(labels={"id": f"opa-{number}"}), shop_token, path=STATUS)

    assert set(OpaInstance.objects.values_list("name", flat=True)) == {"opa-2", "opa-3", "opa-4"}


GARBAGE = [
    b"", b"null", b"{}", b"nonsense", b'"x"', b"\xff", b'{"labels": {}}', b'{"labels": {"id": "<b>"}}',
    b'{"labels": {"id": 5}}', b'{"labels": {"id": "a"}, "bundles": []}', b"[" * 100_000,
]  # fmt: skip


@pytest.mark.parametrize("body", GARBAGE)
def test_what_is_no_status_is_refused(shop_token: str, body: bytes) -> None:
    assert_problem(call(body, shop_token, path=STATUS), 400, "invalid_request")
    assert not OpaInstance.objects.exists()


def _entry(**members: Any) -> dict[str, Any]:
    return {
        "decision_id": str(uuid.uuid4()),
        "timestamp": f"{timezone.now():%Y-%m-%dT%H:%M:%S.%f}789Z",
        "labels": {"instance": "opa-1"},
        "path": "governance/decision/answer",
        "bundles": {"assent": {"revision": _in_force()}},
        "input": BASE,
        "result": {"decision": True, "level": "individual", "reasons": [{"code": "consent_missing"}]},
        "requested_by": "10.0.0.1:5000",
        **members,
    }


def _send(entries: Any, token: str, **environ: str) -> WsgiResponse:
    body = entries if isinstance(entries, bytes) else gzip.compress(json.dumps(entries).encode())
    return call(body, token, path=LOGS, HTTP_CONTENT_ENCODING="gzip", **environ)


def test_a_decision_is_stored_once_however_often_it_is_sent(shop_token: str) -> None:
    first, second = _entry(), _entry()

    answers = [_send(entries, shop_token).json() for entries in ([first], [first, second, second], [first])]

    assert answers == [{"stored": n, "refused": 0} for n in (1, 1, 0)]
    stored = ExternalDecision.objects.get(pk=first["decision_id"])
    assert (stored.outcome, stored.level, stored.reasons) == ("permit", "individual", ["consent_missing"])
    assert (stored.instance, stored.caller, stored.bundle_revision) == ("opa-1", "service:shop", _in_force())
    assert stored.facts["action"] == "personalize"


def test_an_entry_that_cannot_be_read_does_not_hold_up_the_others(shop_token: str) -> None:
    bad = [_entry(decision_id="x"), _entry(timestamp="yesterday"), _entry(labels=3), 5, None, {}]

    assert _send([*bad, _entry()], shop_token).json() == {"stored": 1, "refused": 6}


IDENTITIES = {
    "action": "jane.doe@example.org",
    "purpose": {"jane": 1},
    "name": "jane",
    "subject": {"region": "jane", "known": "jane", "email": "jane@example.org"},
    "signals": {"gpc": "jane", "tcf_purposes": ["jane", 4711, 1]},
    "processing": {"data_categories": ["jane", "views"], "recipient": ["jane"]},
    "model": {"id": "jane", "version": 4711, "purposes": "jane"},
    "ancestors": {"jane": "given"},
    "engine": {"segment_k": 4711},
    "consent": ["jane"],
}


def test_entries_as_servers_really_send_them_permit_nothing(shop_token: str) -> None:
    """Ids that are no UUID, entries without labels, results that are no answer, an unknown revision, one id twice."""
    ids = [f"8f0c2f0e-0000-4000-8000-00000000000{number}" for number in range(1, 6)]
    when = {"timestamp": _entry()["timestamp"], "path": "governance/decision/answer"}
    named = {**when, "labels": {"instance": "opa-x", "id": "1"}}
    huge = {"n": 9007199254740993, "f": "HUGE"}
    entries = [
        {**named, "decision_id": ids[0], "bundles": {"assent": {"revision": "nosuch"}}, "input": huge},
        {**named, "decision_id": ids[1], "path": "system/log/mask", "result": None},
        {**named, "decision_id": "order-17", "result": {"decision": True}},
        {**when, "decision_id": ids[2], "result": {"decision": True}},
        {**named, "decision_id": ids[3], "result": {"decision": "true"}},
        {**named, "decision_id": ids[4], "result": True, "error": {"code": "eval_error"}},
        {**named, "decision_id": ids[0], "result": {"decision": True}},
    ]
    body = gzip.compress(json.dumps(entries).replace('"HUGE"', "1e400").encode())

    for _ in range(2):
        assert call(body, shop_token, path=LOGS, HTTP_CONTENT_ENCODING="gzip").status == 200

    stored = {str(each.pk): each.outcome for each in ExternalDecision.objects.all()}
    # The first entry of its id cannot be read, so the other one counts.
    assert stored == {ids[0]: "permit", ids[1]: "unknown", ids[3]: "unknown", ids[4]: "unknown"}


def test_only_words_of_the_vocabulary_are_kept(shop_token: str) -> None:
    result = {"decision": True, "level": "jane", "reasons": [{"code": "jane"}, "jane"]}
    entry = _entry(input=IDENTITIES, result=result, labels={"instance": "Jane Doe"})

    _send([entry], shop_token)

    stored = ExternalDecision.objects.get()
    everything = json.dumps([stored.facts, stored.reasons, stored.level, stored.path, stored.instance])
    assert "jane" not in everything.lower()
    json.loads(everything, parse_int=(numbers := []).append)
    assert "4711" not in numbers
    assert stored.facts["action"] == "unknown"
    assert stored.facts["processing"]["data_categories"] == ["unknown", "views"]


@pytest.mark.parametrize(
    "members",
    [
        {"path": "jane/doe"},
        {"bundles": {"assent": {"revision": "sha256:" + "0" * 64}}},
        {"bundles": None},
        {"input": ["jane"]},
        {"input": None},
    ],
)
def test_nothing_is_kept_of_an_input_that_is_not_of_our_bundles(shop_token: str, members: dict[str, Any]) -> None:
    _send([_entry(**members)], shop_token)

    assert ExternalDecision.objects.get().facts == {}


def test_facts_as_assent_writes_them_are_kept_whole(shop_token: str) -> None:
    _send([_entry(input=BASE)], shop_token)

    stored = ExternalDecision.objects.get().facts
    assert set(stored) == {name for name in BASE if name in stored}
    assert {name: stored[name] for name in ("consent", "signals", "time")} == {
        name: BASE[name] for name in ("consent", "signals", "time")
    }


@pytest.mark.parametrize(
    "body",
    [
        b"nonsense",
        gzip.compress(b"{}"),
        gzip.compress(b"nonsense"),
        gzip.compress(b"[]") * 2,
        gzip.compress(b"[]")[:-4],
    ],
    ids=["not packed", "an object", "not JSON", "two members", "cut short"],
)
def test_what_is_no_packed_list_is_refused(shop_token: str, body: bytes) -> None:
    assert_problem(_send(body, shop_token), 400, "invalid_request")


def test_a_body_that_grows_too_large_is_refused(shop_token: str) -> None:
    assert_problem(_send(gzip.compress(b" " * 64 * 1024 * 1024), shop_token), 413, "body_too_large")
    assert_problem(call(b" " * 1_100_000, shop_token, path=LOGS), 413, "body_too_large")
    assert_problem(_send(gzip.compress(b"[" + b"1," * 10_000 + b"1]"), shop_token), 413, "body_too_large")


def test_what_is_stored_is_never_changed_and_leaves_our_own_log_alone(shop_token: str) -> None:
    _send([_entry()], shop_token)

    for change in (lambda: ExternalDecision.objects.update(outcome="deny"), ExternalDecision.objects.all().delete):
        with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
            change()
    assert chain.verify().ok
    assert Bundle.objects.filter(pk=_in_force()).exists()


@pytest.mark.parametrize("days", [-3, 3])
def test_decisions_of_another_time_are_refused(shop_token: str, days: int) -> None:
    moment = (timezone.now() + timedelta(days=days)).isoformat()
    far = [_entry(timestamp=text) for text in (moment, "0001-01-01T00:00:00Z", "9999-12-31T23:59:59-23:59")]

    assert _send([*far, _entry()], shop_token).json() == {"stored": 1, "refused": 3}
    assert ExternalDecision.objects.count() == 1


def test_reported_decisions_have_a_rate_limit(shop_token: str, monkeypatch: pytest.MonkeyPatch) -> None:
    limit = RateLimit("reported in a test", 5, per=timedelta(hours=1))
    monkeypatch.setattr("policies.opa.reported_decisions.REPORTED", limit)
    three = [_entry() for _ in range(3)]

    assert _send(three, shop_token).status == 200
    refused = _send([_entry() for _ in range(3)], shop_token)
    assert_problem(refused, 429, "too_many_requests")
    assert int(refused.headers["Retry-After"]) > 0
    assert ExternalDecision.objects.count() == 3


@pytest.mark.parametrize(
    "moment", ["9999-12-31T23:59:59.999999+23:59", "9999-12-31T23:59:59-23:59", "0001-01-01T00:00:00Z"]
)
def test_a_status_with_an_impossible_time_is_kept_without_it(shop_token: str, moment: str) -> None:
    body = {"labels": {"instance": "opa-1"}, "bundles": {"assent": {"last_successful_activation": moment}}}

    assert call(body, shop_token, path=STATUS).status == 200
    assert OpaInstance.objects.get().activated_at is None
