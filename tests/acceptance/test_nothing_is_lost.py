"""A real instance whose processes are killed one after the other while services keep writing and asking.

What must hold: every acknowledged choice is in the ledger, every answered decision is in the log exactly once, every
withdrawal is followed by its deletion, no "no" becomes a "yes", and all evidence verifies.
"""

import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections import Counter
from pathlib import Path

import pytest

from governance.launcher.home.home import open_home
from governance.launcher.home.home_paths import remove_outside_parts
from governance.launcher.processes.processes import descendants
from tests.helpers.paths import CHECKOUT
from tests.helpers.ports import claimed_port
from tests.helpers.processes import start_leashed
from tests.helpers.scale import scale
from tests.helpers.signal_encoders import Tc

ROOT = CHECKOUT
pytestmark = pytest.mark.acceptance
_PATIENCE_S = 300
_IN_A_BATCH = 20


class Instance:
    def __init__(self, home: Path, port: int) -> None:
        self.home, self.port = home, port
        outer = ("DATABASE_URL", "BROKER_URL", "OPA_URL", "SECRET_KEY", "SUBJECT_KEY", "DJANGO_SETTINGS_MODULE")
        outer += ("SECRET_KEY_FILE", "SUBJECT_KEY_FILE", "ASSENT_HOME", "PUBLIC_URL")
        self.environment = {name: value for name, value in os.environ.items() if name not in outer}
        self.environment["PYTHONPATH"] = str(ROOT)

    def command(self, *arguments: str) -> list[str]:
        base = [sys.executable, "-m", "governance.launcher", "--home", str(self.home), "--port", str(self.port)]
        return [*base, *arguments]

    def start(self) -> "subprocess.Popen[bytes]":
        with self.log.open("ab") as log:
            return start_leashed(
                self.command("up"), cwd=ROOT, env=self.environment, stdout=log, stderr=log, start_new_session=True
            )

    @property
    def log(self) -> Path:
        return self.home.parent / "launcher.log"

    def wait_until_started(self, times: int) -> None:
        _wait(lambda: self.log.read_text().count("ready in") >= times, f"start number {times}")

    def run(self, *arguments: str) -> str:
        done = subprocess.run(
            self.command(*arguments), cwd=ROOT, env=self.environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def pids(self) -> dict[str, int]:
        status = self.command("status", "--json")
        done = subprocess.run(status, cwd=ROOT, env=self.environment, capture_output=True, text=True, check=False)
        return {row["name"]: row["pid"] for row in json.loads(done.stdout)["processes"] if row["pid"]}

    def kill(self, *names: str) -> None:
        """Kill all of them in the same instant, once all of them run."""
        pids: dict[str, int] = {}

        def all_run() -> bool:
            pids.update(self.pids())
            return pids.keys() >= set(names)

        _wait(all_run, f"{', '.join(names)} to run")
        for name in names:
            os.kill(pids[name], signal.SIGKILL)

    def wait_until_ready(self) -> None:
        _wait(self._is_ready, "the instance to be ready")

    def _is_ready(self) -> bool:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/health/ready", timeout=2) as answer:
                return answer.status == 200
        except OSError:
            return False

    def post(self, path: str, body: object, token: str, key: str | None = None) -> tuple[int, dict]:
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {token}"}
        if key:
            headers["Idempotency-Key"] = key
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}{path}", data=json.dumps(body).encode(), headers=headers
        )
        try:
            with urllib.request.urlopen(request, timeout=5) as answer:
                return answer.status, json.loads(answer.read())
        except urllib.error.HTTPError as error:
            return error.code, {}
        except (OSError, ValueError):
            return 0, {}


def _wait(condition, what: str) -> None:
    for _ in range(_PATIENCE_S * 10):
        if condition():
            return
        time.sleep(0.1)
    pytest.fail(f"Waited {_PATIENCE_S} s in vain for {what}")


class Traffic(threading.Thread):
    """One service: gives and withdraws for people of its own, and asks for decisions, until told to stop."""

    def __init__(self, instance: Instance, token: str, number: int) -> None:
        super().__init__(daemon=True)
        self.instance, self.token, self.number = instance, token, number
        self.stop = threading.Event()
        self.acknowledged: list[str] = []  # ids of records
        self.withdrawn: set[str] = set()
        self.answered: list[str] = []  # ids of decisions
        self.permits_after_no: list[str] = []

    def run(self) -> None:
        turn = 0
        while not self.stop.is_set():
            turn += 1
            person = f"person-{self.number}-{turn % 5}"
            choice = "give" if turn % 2 else "refuse"
            if self._save(person, choice, f"{self.number}-{turn}"):
                self._ask(person, no=choice == "refuse")

    def _save(self, person: str, choice: str, key: str) -> bool:
        body = {
            "subject": {"id": person, "region": "DE", "age_band": "adult"},
            "choices": [{"purpose": "recommendations", "choice": choice}],
        }
        status, answer = self.instance.post("/api/v1/consents", body, self.token, key)
        if status not in (200, 201):
            time.sleep(0.05)  # a service that is refused tries again a little later
            return False
        record = answer["records"][0]
        self.acknowledged.append(record["id"])
        if record["state"] == "withdrawn":
            self.withdrawn.add(record["id"])
        return True

    def _ask(self, person: str, *, no: bool) -> None:
        body = {
            "subject": {"type": "data_subject", "id": person},
            "action": {"name": "collect", "properties": {"purpose": "recommendations"}},
            "resource": {"type": "event", "id": "e", "properties": {"data_categories": ["views"]}},
            "evaluations": [{}] * _IN_A_BATCH,
        }
        status, answer = self.instance.post("/access/v1/evaluations", body, self.token)
        if status == 200:
            decisions = answer["evaluations"]
            self.answered += [decision["context"]["decision_id"] for decision in decisions]
            if no and any(decision["decision"] for decision in decisions):
                self.permits_after_no.append(person)


_PREPARE = """
from governance.demo.register import ensure_register
from policies.endpoints.credentials import create_credential
ensure_register()
print("TOKEN", create_credential(name="load", scopes=["consents", "decisions"], actor="test")[0])
"""


@pytest.fixture(scope="module")
def instance(tmp_path_factory):
    """One instance for the file, in the order of its tests: starting one takes most of the time."""
    with claimed_port() as port:
        made = Instance(tmp_path_factory.mktemp("instance") / "home", port)
        made.launcher = made.start()
        try:
            made.wait_until_started(1)
            said = made.run("manage", "shell", "-c", _PREPARE)
            made.token = next(line for line in said.splitlines() if line.startswith("TOKEN")).split()[1]
            yield made
        finally:
            made.run("down")
            made.launcher.wait(timeout=60)
            remove_outside_parts(open_home(made.home))


_EVIDENCE = """
import json
from django.db import connection
from privacy import tasks
tasks.sweep_disposals()  # as beat does every minute
def column(sql):
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return [str(row[0]) for row in cursor.fetchall()]
print("EVIDENCE", json.dumps({
    "records": column("SELECT id FROM consent_consentrecord"),
    "logged": column("SELECT id FROM policies_decision"),
    "disposed": column("SELECT record_id FROM privacy_disposal WHERE status = 'done' AND record_id IS NOT NULL"),
}))
"""


_KILLED_TOGETHER = (
    ("web",),
    ("drainer",),
    ("postgres",),
    ("web", "drainer", "postgres"),
    ("worker-urgent", "worker", "worker-long", "valkey", "beat"),
)


def _evidence(instance: Instance) -> dict[str, list[str]]:
    """What the database holds: records, logged decisions, and records whose deletion is done."""
    output = instance.run("manage", "shell", "-c", _EVIDENCE)
    return json.loads(next(line for line in output.splitlines() if line.startswith("EVIDENCE")).partition(" ")[2])


@scale("rounds", small=1, long=6)
def test_killing_every_process_loses_nothing(instance, rounds):
    services = [Traffic(instance, instance.token, number) for number in range(2)]
    for service in services:
        service.start()

    for names in _KILLED_TOGETHER * rounds:
        _wait_for_traffic(services, "before the next are killed")
        instance.kill(*names)
        instance.wait_until_ready()
    _wait_for_traffic(services, "after all were killed")
    for service in services:
        service.stop.set()
        service.join(timeout=300)

    acknowledged = [record for service in services for record in service.acknowledged]
    answered = [decision for service in services for decision in service.answered]
    withdrawn = {record for service in services for record in service.withdrawn}
    assert len(answered) > 20 * _IN_A_BATCH
    assert withdrawn
    assert [person for service in services for person in service.permits_after_no] == []
    instance.run("verify")  # drains what is spooled, then checks every chain
    evidence = _evidence(instance)
    assert set(acknowledged) <= set(evidence["records"])
    times = Counter(evidence["logged"])
    assert [decision for decision in answered if times[decision] != 1] == []
    assert max(times.values()) == 1
    _wait(lambda: withdrawn <= set(_evidence(instance)["disposed"]), "every withdrawal to be followed by its deletion")


def _wait_for_traffic(services: list[Traffic], when: str) -> None:
    before = [len(service.answered) for service in services]

    def moved() -> bool:
        return all(len(s.answered) > b + 3 * _IN_A_BATCH for s, b in zip(services, before, strict=True))

    _wait(moved, f"traffic {when}")


_PREPARE_RECOMMENDER = """
from datetime import UTC, datetime
from pathlib import Path
from django.conf import settings
from django.db import transaction
from consent.models import Purpose
from governance.demo.datasets import demo_shop
from model_registry import services
from model_registry.models import Model
from oversight import guard
from personalization import engine
from personalization.models import Item, PopularItem
from personalization.recommender import storage
from personalization.recommender.training import train
from policies.endpoints.credentials import create_credential
from tests.helpers import models
shop = demo_shop(people=120)
Item.objects.bulk_create(Item(slug=i.id, title=i.title, categories=list(i.categories)) for i in shop.items)
PopularItem.objects.bulk_create(
    PopularItem(rank=rank, item_id=item.id, people=100 - rank) for rank, item in enumerate(shop.items[:20], start=1)
)
trained = train(shop.interactions, shop.items, shop.segments("region", "age"))
place = Path(settings.MODEL_DIR)
made = storage.save(trained, place, engine.MODEL_SLUG, "acceptance", created=datetime(2026, 3, 1, tzinfo=UTC))
with transaction.atomic(), guard.writing("test"):
    models.go_live(services.register_version(
        model=Model.objects.create(slug=engine.MODEL_SLUG, name="House recommender"),
        purposes=[Purpose.objects.get(slug="recommendations")], actor="test",
        artifact=f"{made.name}-{made.version}", artifact_sha256=made.digest,
    ))
print("TOKEN", create_credential(name="lists", scopes=["consents", "recommendations"], actor="test")[0])
print("MODEL", place / f"{made.name}-{made.version}")
print("ITEMS", *[item.id for item in shop.items[:6]])
"""
_PERMITTED = {"model_unusable", "recommender_failed", "recommender_resting", "information_unavailable", "no_model"}


class Reader(threading.Thread):
    """One service that asks for lists of one person who says yes and no in turn, from the items of a visit."""

    def __init__(self, instance: Instance, token: str, items: list[str], number: int) -> None:
        super().__init__(daemon=True)
        self.instance, self.token, self.items, self.person = instance, token, items, f"reader-{number}"
        self.stop = threading.Event()
        self.chance = random.Random(number)
        self.refused = 0  # lists after a stored no
        self.seen: Counter[str] = Counter()  # why lists were general, "personal" for those that were not
        self.wrong: list[dict] = []

    def run(self) -> None:
        turn = 0
        while not self.stop.is_set():
            turn += 1
            choices = [{"purpose": "recommendations", "choice": "give" if turn % 2 else "refuse"}]
            about = {"id": self.person, "region": "DE", "age_band": "adult"}
            key = f"{self.person}-{turn}"
            status, _ = self.instance.post("/api/v1/consents", {"subject": about, "choices": choices}, self.token, key)
            if status not in (200, 201):
                time.sleep(0.05)
                continue
            for _ in range(4):
                self._ask(has_refused=turn % 2 == 0)

    def _ask(self, *, has_refused: bool) -> None:
        # Facts of which no answer is remembered, so that the engine is asked.
        moment = int(time.time() * 10)
        told = Tc(created=moment, updated=moment, consents=(*range(1, 12), *self.chance.sample(range(12, 25), 6)))
        body = {"subject": {"id": self.person}, "session": self.items, "signals": {"tcf": told.encode()}, "count": 5}
        status, answer = self.instance.post("/api/v1/recommendations", body, self.token)
        if status != 200:
            return
        is_personal = answer["level"] != "none" or answer["profiled"] or any(i["because"] for i in answer["items"])
        codes = [answer["fallback"], *(reason["code"] for reason in answer["reasons"])]
        self.seen["personal" if is_personal else next(filter(None, codes), "none given")] += 1
        self.refused += has_refused
        is_explained = answer["fallback"] in _PERMITTED or answer["permitted_level"] == "none"
        if (is_personal and (has_refused or answer["permitted_level"] == "none")) or not (is_personal or is_explained):
            self.wrong.append(answer)


def _kill_engines(web: int) -> None:
    for pid in descendants(web):
        with contextlib.suppress(OSError):
            if b"policies.engines.evaluator" in Path(f"/proc/{pid}/cmdline").read_bytes():
                os.kill(pid, signal.SIGKILL)


def test_a_killed_engine_or_a_lost_model_leaves_only_permitted_lists(instance):
    prepared = instance.run("manage", "shell", "-c", _PREPARE_RECOMMENDER).splitlines()
    said = dict(line.split(" ", 1) for line in prepared if line.startswith(("TOKEN", "MODEL", "ITEMS")))
    readers = [Reader(instance, said["TOKEN"], said["ITEMS"].split(), number) for number in range(3)]
    seen: Counter[str] = Counter()

    def count(*kinds: str) -> int:
        seen.clear()
        for reader in readers:
            seen.update(reader.seen)
        return sum(seen[kind] for kind in kinds)

    for reader in readers:
        reader.start()
    _wait(lambda: count("personal") > 5, "personal lists")

    web = instance.pids()["web"]

    def kill_and_look() -> bool:
        _kill_engines(web)
        return count("engine_unavailable", "engine_timeout") > 5

    _wait(kill_and_look, "decisions without an engine")
    model = Path(said["MODEL"])
    model.rename(model.with_name("away"))
    instance.kill("web")
    _wait(lambda: count("model_unusable", "recommender_resting") > 5, "lists without a model")
    before = count("personal")
    model.with_name("away").rename(model)
    _wait(lambda: count("personal") > before + 5, "personal lists again")
    for reader in readers:
        reader.stop.set()
        reader.join(timeout=300)

    assert [answer for reader in readers for answer in reader.wrong] == []
    assert all(reader.refused > 5 for reader in readers), seen


def test_a_killed_supervisor_leaves_an_instance_the_next_one_takes_over(instance):
    body = {"subject": {"id": "p", "region": "DE"}, "choices": [{"purpose": "recommendations", "choice": "refuse"}]}
    assert instance.post("/api/v1/consents", body, instance.token)[0] == 201

    os.kill(instance.launcher.pid, signal.SIGKILL)
    instance.launcher.wait()
    instance.launcher = instance.start()

    instance.wait_until_started(2)
    state = instance.post("/api/v1/consents/state", {"subject": {"id": "p"}}, instance.token)[1]
    assert state["purposes"]["recommendations"]["state"] == "refused"
