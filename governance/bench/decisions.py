"""Decisions over HTTP: authenticated, read fresh, evaluated, logged; OPA's own REST API in the same run."""

import json
import os
import random
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from consent.pseudonyms import subject_ref
from governance.bench import authzen, cpu, load, servers, world
from governance.bench.report import Row, request_row
from policies.bundles import loading
from policies.decisions import facts, information
from policies.endpoints.authzen import question_of
from policies.models import ActiveBundle

_REQUESTS = 20_000
_WARM_UP_S = 1.0
_IN_A_BATCH = 100
_FIRST_S = 60.0


@dataclass(frozen=True)
class Settings:
    subjects: Sequence[int]
    seconds: float
    clients: int
    threads: int
    opa: str | None
    against: str | None = None
    """What to compare with instead: granian, or the checkout of an older release."""
    rows: int | None = None
    items: int = 1_000
    """Of the catalogue that recommendations are made of."""


def run(settings: Settings, say: Callable[[str], None]) -> list[Row]:
    """Measure at each number of subjects; OPA once, with the largest."""
    rows: list[Row] = []
    with world.bench_database(settings.subjects[0]) as url:
        token = world.bench_token()
        filled = settings.subjects[0]
        rows += _measure_yardstick(token, settings)
        for subjects in settings.subjects:
            if subjects > filled:
                say(f"adding people up to {subjects:,} ...")
                world.fill(filled, subjects)
                filled = subjects
            rows += _measure_assent(url, token, subjects, settings, say)
        if settings.opa:
            rows += _measure_opa(filled, settings, say)
        rows += _measure_search(url, token, settings, say)
    return rows


def _measure_yardstick(token: str, settings: Settings) -> list[Row]:
    port = servers.free_port()
    command = servers.web(port, threads=settings.threads, application="governance.bench.yardstick:application")
    requests = requests_of_people(token, settings.subjects[0], vary=False)
    with servers.running(command, port, os.environ) as pid:
        return [
            measured_row("Bare hello of the same server", port, pid, requests, clients, settings)
            for clients in (settings.clients, 1)
        ]


@contextmanager
def serving(
    url: str, settings: Settings, *, models: Path | None = None, broker: str | None = None
) -> Iterator[tuple[int, int]]:
    """Run a server process over the database; yield its port and process id."""
    port = servers.free_port()
    with servers.home() as home:
        if models is not None:
            (Path(home) / "models").symlink_to(models)
        environment = {**os.environ, "DATABASE_URL": url, "ASSENT_HOME": home, "RUST_BACKTRACE": "0"}
        if broker is not None:
            environment["BROKER_URL"] = broker
        with servers.running(servers.web(port, threads=settings.threads), port, environment) as pid:
            yield port, pid


def _measure_assent(url: str, token: str, subjects: int, settings: Settings, say: Callable[[str], None]) -> list[Row]:
    with serving(url, settings) as (port, pid):
        say(f"measuring with {subjects:,} people ...")
        memo = requests_of_people(token, subjects, vary=False)
        engine = requests_of_people(token, subjects, vary=True)
        batches = _batches(token, subjects)
        of_authzen = authzen.batches(
            token,
            document(random.Random(7), subjects, vary=False),  # noqa: S311
            subjects,
            size=_IN_A_BATCH,
            count=_REQUESTS // _IN_A_BATCH,
        )
        name = f"Assent, {subjects:,} people"

        def measured(what: str, requests: Sequence[bytes], clients: int = settings.clients, holds: int = 1) -> Row:
            return measured_row(f"{name}, {what}", port, pid, requests, clients, settings, holds)

        rows = [
            measured("memo answers", memo),
            measured("memo answers", memo, 1),
            measured("engine answers", engine),
            measured("batch of 100", batches, holds=_IN_A_BATCH),
            measured("AuthZEN batch of 100", of_authzen, holds=_IN_A_BATCH),
        ]
        with world.shadow():
            rows.append(measured("memo answers, a candidate beside them", memo))
            rows.append(measured("memo answers, a candidate beside them", memo, 1))
            others = requests_of_people(token, subjects, vary=True, seed=8)
            rows.append(measured("engine answers, a candidate beside them", others))
        return rows


def _measure_search(url: str, token: str, settings: Settings, say: Callable[[str], None]) -> list[Row]:
    say(f"searching {authzen.CANDIDATES:,} records ...")
    authzen.store_candidates()
    name, searches = f"AuthZEN resource search, {authzen.CANDIDATES:,} candidates", authzen.searches(token)
    longer = replace(settings, seconds=3 * settings.seconds)
    with serving(url, settings) as (port, pid):
        # The first one evaluates all of them, the next ones find them remembered.
        with cpu.measured(pid) as used:
            first = load.run(("127.0.0.1", port), searches, clients=1, seconds=_FIRST_S, at_most=1)
        row = _request_row(f"{name}, the first", 1, first, used)
        return [row, measured_row(name, port, pid, searches, 1, longer)]


def measured_row(
    name: str, port: int, pid: int, requests: Sequence[bytes], clients: int, settings: Settings, holds: int = 1
) -> Row:
    """Measure requests; where each ``holds`` many decisions, these are counted, with latencies of whole requests."""
    address = ("127.0.0.1", port)
    # With the other half: what is asked while warming up is in the memo afterwards. On a busy machine the first answer,
    # for which a policy or a model is loaded, may take longer than that.
    others = requests[len(requests) // 2 :]
    load.run(address, others[:1], clients=1, seconds=_FIRST_S, at_most=1)
    load.run(address, others[1:], clients=clients, seconds=_WARM_UP_S)
    with cpu.measured(pid) as used:
        measured = load.run(address, requests, clients=clients, seconds=settings.seconds)
    return _request_row(name, clients, measured, used, holds)


def _request_row(name: str, clients: int, measured: load.Measured, used: cpu.CpuTime, holds: int = 1) -> Row:
    return request_row(
        name,
        clients=clients,
        per_second=measured.per_second * holds,
        cpu_us=used.us_per(len(measured.latencies) * holds),
        p50_ms=measured.percentile_ms(0.50),
        p99_ms=measured.percentile_ms(0.99),
        refused=sum(count for status, count in measured.statuses.items() if status not in (200, 201)),
    )


def requests_of_people(token: str, subjects: int, *, vary: bool, seed: int = 7) -> list[bytes]:
    chance = random.Random(seed)  # noqa: S311 (which person is asked about)
    return [
        load.post("/access/v1/evaluation", json.dumps(document(chance, subjects, vary=vary)).encode(), token)
        for _ in range(_REQUESTS)
    ]


def _batches(token: str, subjects: int) -> list[bytes]:
    """Return the same questions, a hundred random people at a time, for the native endpoint."""
    chance = random.Random(7)  # noqa: S311
    shared = document(chance, subjects, vary=False)
    del shared["subject"]
    batches = []
    for _ in range(_REQUESTS // _IN_A_BATCH):
        people = [{"type": "data_subject", "id": world.person(chance.randrange(subjects))} for _ in range(_IN_A_BATCH)]
        body = {**shared, "decisions": [{"subject": person} for person in people]}
        batches.append(load.post("/api/v1/decisions", json.dumps(body).encode(), token))
    return batches


def document(chance: random.Random, subjects: int, *, vary: bool) -> dict[str, object]:
    """Return a question about a random person; varied ones carry a signal list of their own, so no memo has them."""
    signals = {"tcf_purposes": [5, 6, *chance.sample(range(7, 25), 10)]} if vary else {}
    return {
        "subject": {"type": "data_subject", "id": world.person(chance.randrange(subjects))},
        "action": {
            "name": "personalize",
            "properties": {"purpose": "recommendations", "requested_level": "individual"},
        },
        "resource": {
            "type": "personalization",
            "id": "home-feed",
            "properties": {"data_categories": ["purchases", "views"]},
        },
        "context": {"processing_region": "eu-central", "signals": signals},
    }


def _measure_opa(subjects: int, settings: Settings, say: Callable[[str], None]) -> list[Row]:
    """Measure OPA's REST API with the same policy, data and facts in memory: no database, no log, no identity."""
    say("measuring OPA's own REST API with the same policy ...")
    folder = Path(tempfile.mkdtemp(prefix="assent-bench-opa-"))
    active = ActiveBundle.objects.get()
    bundle = loading.loaded(active.bundle_id)
    for path, text in bundle.policies.items():
        (folder / path).write_text(text)
    (folder / "data.json").write_text(bundle.data_json)
    requests = _opa_requests(bundle, subjects)
    port = servers.free_port()
    command = [str(settings.opa), "run", "--server", "--addr", f"127.0.0.1:{port}", "--log-level", "error", str(folder)]
    try:
        with servers.running(command, port, os.environ) as pid:
            return [
                measured_row("OPA REST, data inline", port, pid, requests, clients, settings)
                for clients in (settings.clients, 1)
            ]
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _opa_requests(bundle: loading.LoadedBundle, subjects: int) -> list[bytes]:
    chance = random.Random(7)  # noqa: S311
    requests = []
    for _ in range(_REQUESTS // 4):
        body = document(chance, subjects, vary=True)
        known = information.read(subject_ref(str(body["subject"]["id"])))  # type: ignore[index]
        asked = facts.build(question_of(body), known, bundle, time.time())
        inlined = b'{"input":%s}' % asked.document
        requests.append(load.post("/v1/data/governance/decision/answer", inlined, "none"))
    return requests
