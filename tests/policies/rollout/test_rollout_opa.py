"""A rollout beside real OPA servers: each holds one revision, and a candidate that cannot be asked harms nobody."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from django.conf import settings

from common.rollouts.shares import FULL
from policies import engines
from policies.bundles import bundle_keys, loading
from policies.decisions import evaluate
from policies.engines.opa import OpaEngine
from policies.models import ActiveBundle
from policies.opa import bundle_files
from policies.rollout import service
from tests.helpers.live_assent import configuration, eventually, live_assent, turn
from tests.helpers.policy_engines import OpaProcess, opa_process
from tests.helpers.rollouts import ANNA, BERTA, SAME, STRICT, start
from tests.helpers.wsgi_calls import call, changed, question

Spooled = Callable[[], list[dict[str, Any]]]
CHILD = changed("subject.properties", {"age_band": "child"})
MADE_ONCE = (engines.configured, engines.for_candidates, engines.opa_server, engines.stand_in)


@pytest.fixture(scope="module")
def servers() -> Iterator[tuple[OpaProcess, OpaProcess]]:
    with opa_process() as active, opa_process() as candidate:
        yield active, candidate


@pytest.fixture
def pushed(
    servers: tuple[OpaProcess, OpaProcess], shop_token: str, monkeypatch: pytest.MonkeyPatch
) -> Iterator[list[tuple[str, str]]]:
    """Assent with one OPA server for the active revision and one for candidates; yield (URL, revision) of each push."""
    for name, value in {
        "OPA_URL": servers[0].url,
        "OPA_CANDIDATE_URL": servers[1].url,
        "OPA_TIMEOUT_MS": 5_000,
        "OPA_BREAKER_REST_MS": 100,
    }.items():
        monkeypatch.setattr(settings, name, value)
    monkeypatch.setattr(loading, "_loaded", {})
    seen: list[tuple[str, str]] = []
    push = OpaEngine._push

    def noted(self: OpaEngine, bundle: loading.LoadedBundle, ends: float) -> None:
        seen.append((f"http://{self._options['host']}:{self._options['port']}", bundle.revision))
        push(self, bundle, ends)

    monkeypatch.setattr(OpaEngine, "_push", noted)
    for made in MADE_ONCE:
        made.cache_clear()
    yield seen
    for made in MADE_ONCE:
        made.cache_clear()


def _row() -> ActiveBundle:
    return ActiveBundle.objects.get()


def test_both_revisions_are_asked_and_neither_server_is_given_the_others(
    pushed: list[tuple[str, str]], servers: tuple[OpaProcess, OpaProcess], shop_token: str, spooled: Spooled
) -> None:
    rollout = start(STRICT)
    for body in (question(), CHILD, question("stranger")):
        call(body, shop_token)
    service.set_share(rollout.pk, FULL, actor=BERTA)
    answer = call(changed("context.signals", {"gpc": True}), shop_token).json()

    shadow, *_, last = spooled()
    assert (shadow["outcome"], shadow["shadow"]["outcome"]) == ("permit", "deny")
    assert (answer["decision"], answer["context"]["bundle_revision"]) == (False, _row().candidate_id)
    assert {entry["engine"] for entry in spooled()} == {"opa"}
    assert last["bundle_revision"] == _row().candidate_id
    assert pushed == [(servers[0].url, _row().bundle_id), (servers[1].url, _row().candidate_id)]


def test_opa_and_the_embedded_engine_say_the_same_of_a_candidate(
    pushed: list[tuple[str, str]], shop_token: str, spooled: Spooled, monkeypatch: pytest.MonkeyPatch
) -> None:
    start(STRICT)
    bodies = [question(), CHILD, question("stranger"), changed("context.processing_region", "us-east")]
    for body in bodies:
        call(body, shop_token)
    by_opa = [entry.get("shadow") for entry in spooled()]

    monkeypatch.setattr(settings, "OPA_CANDIDATE_URL", None)
    engines.for_candidates.cache_clear()
    candidate = _row().candidate_id
    assert candidate is not None
    evaluate.VERDICTS.clear()
    for body in bodies:
        call(body, shop_token)

    assert [entry.get("shadow") for entry in spooled()][len(bodies) :] == by_opa
    assert by_opa[0] is not None


def test_without_a_second_server_the_embedded_engine_answers_for_the_candidate(
    pushed: list[tuple[str, str]],
    servers: tuple[OpaProcess, OpaProcess],
    shop_token: str,
    spooled: Spooled,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(settings, "OPA_CANDIDATE_URL", None)
    start(SAME, share=FULL)

    assert call(question(), shop_token).json()["decision"] is True

    assert [(entry["engine"], entry["bundle_revision"]) for entry in spooled()] == [("embedded", _row().candidate_id)]
    assert pushed == []


def test_what_would_change_an_answer_is_asked_of_the_candidates_server_too(
    pushed: list[tuple[str, str]], servers: tuple[OpaProcess, OpaProcess], shop_token: str
) -> None:
    start(SAME, share=FULL)

    abroad = changed("context.processing_region", "us-east")

    told = call(abroad, shop_token, path="/api/v1/decisions").json()

    assert told["would_change"]
    assert {url for url, _ in pushed} == {servers[1].url}


def test_a_candidates_server_that_is_away_changes_no_answer_in_a_shadow(
    pushed: list[tuple[str, str]], servers: tuple[OpaProcess, OpaProcess], shop_token: str, spooled: Spooled
) -> None:
    start(STRICT)
    servers[1].kill()
    try:
        answer = call(question(), shop_token).json()
    finally:
        servers[1].start()

    assert answer["decision"] is True
    assert spooled()[0]["shadow"]["reasons"] == [{"code": "engine_unavailable"}]


def test_a_candidates_server_that_is_away_denies_whom_the_candidate_answers_and_nobody_else(
    pushed: list[tuple[str, str]], servers: tuple[OpaProcess, OpaProcess], shop_token: str
) -> None:
    rollout = start(SAME, share=FULL)
    servers[1].kill()
    try:
        denied = call(question(), shop_token).json()
        service.stop(rollout.pk, actor=ANNA, reason="its server is away")
        answer = call(question(), shop_token).json()
    finally:
        servers[1].start()

    assert [reason["code"] for reason in denied["context"]["reasons"]] == ["engine_unavailable"]
    assert answer["decision"] is True


def test_a_server_that_pulls_holds_the_candidate_and_without_one_the_revision_in_force(
    shop_token: str, tmp_path: Path
) -> None:
    key = bundle_keys.current()
    pulled = {
        "service": "assent",
        "resource": f"bundles/{key.kid}/candidate.tar.gz",
        "signing": {"keyid": "assent", "scope": bundle_files.IN_FORCE},
        "polling": {"min_delay_seconds": 1, "max_delay_seconds": 1, "long_polling_timeout_seconds": 2},
    }
    members = {"bundles": {"assent": pulled}, "keys": {"assent": key.for_opa()}}
    with (
        live_assent() as (url, _),
        opa_process(*configuration(tmp_path, url, shop_token, **members)) as opa,
    ):
        with turn:
            in_force = _row().bundle_id
        assert eventually(lambda: _held(opa) == in_force)
        with turn:
            start(STRICT)
            candidate = _row().candidate_id
        assert eventually(lambda: _held(opa) == candidate)
    assert candidate != in_force


def _held(opa: OpaProcess) -> Any:
    return requests.get(f"{opa.url}/v1/data/revision", timeout=120).json().get("result")
