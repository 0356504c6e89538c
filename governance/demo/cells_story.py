"""Story of two cells: people of two regions at the entry of one cell, over its API, checked in both databases."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
from django.db import connection
from django.utils import timezone

from consent.pseudonyms import ref_under
from governance.demo.client import Reply, ServiceClient
from governance.demo.narrator import Narrator
from governance.demo.traces import files_with, spellings, tables_with
from governance.launcher.home.home import Home
from governance.launcher.servers.postgres import PostgresServer

_LIKED = 8
_WAIT_S = 20.0


@dataclass(frozen=True)
class Scene:
    """Two cells on this machine: ``us``, which receives the requests, and ``eu``, where the European belongs."""

    person: str
    us: Home
    eu: Home
    service: ServiceClient
    narrator: Narrator

    def ask(self, path: str, document: dict[str, Any], *, region: str | None = "DE", person: str = "") -> Reply:
        subject = {"id": person or self.person, **({"region": region} if region else {})}
        return self.service.post(path, {"subject": subject, **document})

    def words(self) -> list[str]:
        """Return every spelling of the person under the keys of both cells."""
        return spellings(self.person, [_ref(home, self.person) for home in (self.us, self.eu)])


def _ref(home: Home, business_id: str) -> Any:
    return ref_under(bytes.fromhex(home.secret("subject_key")), business_id)


def _choose(scene: Scene, choice: str, **more: Any) -> Reply:
    choices = [{"purpose": "recommendations", "choice": choice}]
    return scene.ask("/api/v1/consents", {"choices": choices, "source": "banner"}, **more)


def both_run(scene: Scene, liked: list[str]) -> None:
    """Run the steps while both cells run."""
    _saves(scene)
    _is_recommended(scene, liked)
    _service_here_asks(scene)
    _american(scene)
    _unknown_person(scene)
    _look(scene)


def _saves(scene: Scene) -> None:
    narrator = scene.narrator
    narrator.step("Somebody who lives in Germany says yes, at the door of the US cell")
    saved = _choose(scene, "give")
    narrator.says("answered", f"by cell '{saved.cell}', status {saved.status}")
    narrator.must("the choice was saved by the EU cell", (saved.status, saved.cell) == (201, "eu"))
    state = scene.ask("/api/v1/consents/state", {})
    given = state.document.get("purposes", {}).get("recommendations", {}).get("state")
    narrator.must("asked at the same door, it is in force", given == "given")


def _is_recommended(scene: Scene, liked: list[str]) -> None:
    narrator = scene.narrator
    narrator.step("The same person looks around and gets recommendations, at the same door")
    moment = timezone.now() - timedelta(minutes=30)
    events = [
        {"event_id": f"{scene.person}-{number}", "type": "like", "item": item, "occurred_at": moment.isoformat()}
        for number, item in enumerate(liked[:_LIKED])
    ]
    stored = [scene.ask("/api/v1/events", event).document.get("stored") for event in events]
    narrator.must(f"all {len(stored)} events are stored, in the EU cell", bool(stored) and all(stored))
    served = scene.ask("/api/v1/recommendations", {"count": 5})
    narrator.answer(served.document)
    forwarded = (served.status, served.cell) == (200, "eu")
    narrator.must("served by the EU cell at level individual", forwarded and served.document["level"] == "individual")


def _service_here_asks(scene: Scene) -> None:
    narrator = scene.narrator
    narrator.step("A service in the US asks whether it may use this person's data there")
    subject = {"type": "data_subject", "id": scene.person, "properties": {"region": "DE"}}
    asked = {
        "subject": subject,
        "action": {"name": "personalize", "properties": {"purpose": "recommendations"}},
        "resource": {"type": "personalization", "id": "home"},
    }
    decided = scene.service.post("/access/v1/evaluation", asked)
    narrator.answer(decided.document)
    codes = [reason["code"] for reason in decided.document.get("context", {}).get("reasons", [])]
    is_denied = decided.document.get("decision") is False and codes == ["residency"]
    narrator.must("no: the residency rules do not allow it", is_denied)


def _american(scene: Scene) -> None:
    narrator = scene.narrator
    narrator.step("Somebody who lives in California says yes, at the same door")
    saved = _choose(scene, "give", region="US-CA", person=f"neighbour-{scene.person[::-1]}")
    narrator.must("saved by the US cell itself", (saved.status, saved.cell) == (201, None))


def _unknown_person(scene: Scene) -> None:
    narrator = scene.narrator
    narrator.step("Somebody nobody knows, and the request does not say from where")
    saved = _choose(scene, "give", region=None, person=f"stranger-{scene.person[::-1]}")
    narrator.says("answer", f"{saved.status} {saved.document.get('code')}: {saved.document.get('detail')}")
    narrator.must("nothing is stored, as nobody can tell where", saved.document.get("code") == "region_needed")
    served = scene.ask("/api/v1/recommendations", {}, region=None, person=f"stranger-{scene.person[::-1]}").document
    narrator.must("recommendations are what everybody gets", served.get("level") == "none")


def alone(scene: Scene) -> None:
    """Run the steps with the EU cell stopped."""
    narrator = scene.narrator
    narrator.step("The EU cell is stopped; the person comes back to the door of the US cell")
    served = scene.ask("/api/v1/recommendations", {"count": 5}).document
    narrator.answer(served)
    is_plain = (served.get("level"), served.get("fallback")) == ("none", "cell_unavailable")
    narrator.must("level none, with what everybody gets", is_plain and bool(served.get("items")))
    saved = _choose(scene, "withdraw")
    narrator.says("answer", f"{saved.status} {saved.document.get('code')}: {saved.document.get('detail')}")
    is_refused = (saved.status, saved.document.get("code")) == (503, "cell_unavailable")
    narrator.must("a withdrawal is not pretended to be saved", is_refused)
    _look_here(scene)


def again(scene: Scene) -> None:
    """Run the steps with the EU cell back."""
    narrator = scene.narrator
    narrator.step("The EU cell is back; the person withdraws, at the door of the US cell")
    saved = _until(lambda: _choose(scene, "withdraw"), lambda reply: reply.status == 201)
    narrator.must("the withdrawal is in the EU cell's ledger", (saved.status, saved.cell) == (201, "eu"))
    served = scene.ask("/api/v1/recommendations", {"count": 5})
    is_forwarded = (served.cell, served.document.get("level")) == ("eu", "none")
    narrator.must("from now on level none, by the person's own word", is_forwarded)
    _look(scene)


def _until(ask: Callable[[], Reply], holds: Callable[[Reply], bool]) -> Reply:
    """Ask until it holds: the breaker of the US cell leaves a cell alone for some seconds that has failed."""
    ends = time.monotonic() + _WAIT_S
    reply = ask()
    while not holds(reply) and time.monotonic() < ends:
        time.sleep(0.5)
        reply = ask()
    return reply


def _look(scene: Scene) -> None:
    with psycopg.connect(PostgresServer(scene.eu).url) as there, there.cursor() as cursor:
        found = tables_with(cursor, scene.words())
    scene.narrator.step("A look into both cells: every table, every column, every spelling of this person")
    scene.narrator.says("EU tables", ", ".join(name.removeprefix("public.") for name in found) or "none")
    scene.narrator.must("the EU database has the person", "public.consent_datasubject" in found)
    _find_nothing_here(scene)


def _look_here(scene: Scene) -> None:
    scene.narrator.step("A look into the US cell, while the EU cell is away")
    _find_nothing_here(scene)


def _find_nothing_here(scene: Scene) -> None:
    with connection.cursor() as cursor:
        tables = tables_with(cursor, scene.words())
    files = files_with(Path(scene.us.path), _in_files(scene))
    scene.narrator.says("US tables", ", ".join(tables) or "none")
    scene.narrator.says("US files", ", ".join(path.name for path in files) or "none")
    scene.narrator.must("no trace of the person in the US database, logs and spool", not tables and not files)


def _in_files(scene: Scene) -> list[bytes]:
    raw = [_ref(home, scene.person).bytes for home in (scene.us, scene.eu)]
    return [*(word.encode() for word in scene.words()), *raw]
