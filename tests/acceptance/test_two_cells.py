"""Two real instances as one deployment: all about a European goes through the US cell, and stays out of it.

The look goes into every table, column and file of the US cell, for every way to write who the person is.
"""

import json
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator
from hashlib import blake2b
from pathlib import Path
from typing import Any

import pytest

from consent.pseudonyms import ref_under
from governance.demo.traces import files_with, spellings
from governance.launcher import cells
from governance.launcher.home.home import open_home
from governance.launcher.home.home_paths import remove_outside_parts
from governance.launcher.processes.stopping import StopSignals
from tests.helpers import recent
from tests.helpers.ports import claimed_neighbours

pytestmark = pytest.mark.acceptance
PERSON = "anna-4711-of-munich"
_CHOICES = {"choices": [{"purpose": "recommendations", "choice": "give"}]}
_EVENT = {"event_id": "e-1", "type": "like", "item": "skillet", "occurred_at": recent.TEXT}
_ACTION = {"name": "personalize", "properties": {"purpose": "recommendations"}}
_RESOURCE = {"type": "personalization", "id": "home"}
_REGISTER = (
    "from governance.demo.register import ensure_register; ensure_register(); "
    "from personalization.models import Item; Item.objects.create(slug='skillet', title='Skillet')"
)
_TABLES = (
    "import json; from django.db import connection; from governance.demo.traces import tables_with; "
    "print('FOUND', json.dumps(tables_with(connection.cursor(), json.loads({words!r}))))"
)
_KEYS = (
    "import json; from policies.models import PeriodKey; "
    "print('FOUND', json.dumps([bytes(k).hex() for k in PeriodKey.objects.values_list('key', flat=True)]))"
)
_UNASKED = (
    "import json; from policies.models import Decision; "
    "print('FOUND', json.dumps(sorted({code for d in Decision.objects.filter(subject_tag=b'') for code in d.reasons})))"
)


class Deployment:
    def __init__(self, folder: Path, port: int, stop: StopSignals) -> None:
        self.cells = cells._cells(folder, port)
        self.eu, self.us = self.cells["eu"], self.cells["us"]
        self.both = cells._Deployment(folder, self.cells, stop)

    def start(self) -> None:
        self.both._introduce()
        self.both._start(self.eu)
        self.run(self.eu, "manage", "shell", "-c", _REGISTER)
        self.both._run(self.us, "cells", "pull")
        self.both._start(self.us)

    def stop(self, *which: Any) -> None:
        for cell in which:
            cell.ask_to_stop()
        for cell in which:
            cell.wait_until_stopped()

    def run(self, cell: Any, *words: str) -> str:
        command, environment = cell.command(*words), dict(cell.environment)
        done = subprocess.run(command, cwd=cells.CHECKOUT, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def found(self, cell: Any, code: str) -> list[str]:
        output = self.run(cell, "manage", "shell", "-c", code)
        line = next(line for line in output.splitlines() if line.startswith("FOUND "))
        return json.loads(line.removeprefix("FOUND "))

    def token(self, cell: Any) -> str:
        scopes = ["consents", "decisions", "events", "recommendations", "subject_links"]
        options = [word for scope in scopes for word in ("--scope", scope)]
        return self.run(cell, "credentials", "create", "shop", *options).splitlines()[-1]


@pytest.fixture
def deployment(tmp_path: Path) -> Iterator[Deployment]:
    with claimed_neighbours() as port, StopSignals() as stop:
        made = Deployment(tmp_path / "cells", port, stop)
        try:
            made.start()
            yield made
        finally:
            made.stop(made.eu, made.us)
            for cell in made.cells.values():
                remove_outside_parts(open_home(cell.home))


class CellClient:
    """The US cell, as a service in the US calls it."""

    def __init__(self, url: str, token: str) -> None:
        self.url, self.token = url, token

    def post(self, path: str, body: Any) -> tuple[int, Any, str | None]:
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {self.token}"}
        request = urllib.request.Request(f"{self.url}{path}", json.dumps(body).encode(), headers)
        try:
            with urllib.request.urlopen(request, timeout=300) as answer:
                return answer.status, json.loads(answer.read()), answer.headers["X-Assent-Cell"]
        except urllib.error.HTTPError as error:
            return error.code, json.loads(error.read()), error.headers["X-Assent-Cell"]

    def everything(self, region: str | None) -> dict[str, tuple[int, Any, str | None]]:
        """Answers of every route, about the same person."""
        plain = {"id": PERSON, **({"region": region} if region else {})}
        subject = {"type": "data_subject", "id": PERSON, "properties": {"region": region} if region else {}}
        question = {"subject": subject, "action": _ACTION, "resource": _RESOURCE}
        neighbour = {"type": "data_subject", "id": "joe-of-boston", "properties": {"region": "US"}}
        bodies = {
            "/api/v1/consents": {"subject": plain, **_CHOICES},
            "/api/v1/consents/state": {"subject": plain},
            "/api/v1/consents/history": {"subject": plain},
            "/api/v1/consents/receipts": {"subject": plain},
            "/access/v1/evaluation": question,
            "/access/v1/evaluations": {**question, "evaluations": [{}, {"subject": neighbour}]},
            "/api/v1/decisions": question,
            "/api/v1/events": {**_EVENT, "subject": plain},
            "/api/v1/recommendations": {"subject": plain},
            "/api/v1/dashboard-links": {"subject": plain},
            "/api/v1/dashboard-links/revoke": {"subject": plain},
        }
        return {path: self.post(path, body) for path, body in bodies.items()}


def _assert_no_permit(answers: dict[str, tuple[int, Any, str | None]]) -> None:
    for path, (status, document, _cell) in answers.items():
        first = document["evaluations"][0] if "evaluations" in document else document
        assert first.get("decision") in (False, None), path
        assert first.get("level", "none") == "none", path
        assert status in (200, 422, 503), path


def _words(deployment: Deployment) -> tuple[list[str], list[bytes]]:
    """What tables, and what files, could name the person by, under the keys of both cells; the log's tags included."""
    keys = [bytes.fromhex(open_home(cell.home).secret("subject_key")) for cell in deployment.cells.values()]
    months = [bytes.fromhex(k) for cell in deployment.cells.values() for k in deployment.found(cell, _KEYS)]
    refs = [ref_under(key, PERSON) for key in keys]
    tags = [blake2b(ref.bytes, digest_size=16, key=month) for ref in refs for month in months]
    words = [*spellings(PERSON, refs), *(tag.hexdigest() for tag in tags)]
    raw = [*(ref.bytes for ref in refs), *(tag.digest() for tag in tags)]
    return words, [*(word.encode() for word in words), *raw]


def test_a_european_leaves_no_trace_in_the_us_cell(deployment: Deployment) -> None:
    client = CellClient(deployment.us.url, deployment.token(deployment.us))

    unknown = client.everything(None)
    while_up = client.everything("DE")
    deployment.stop(deployment.eu)
    while_down = client.everything("DE")

    _assert_no_permit(unknown)
    _assert_no_permit(while_down)
    assert {path: status for path, (status, _, cell) in while_up.items() if cell != "eu"} == {
        "/access/v1/evaluations": 200
    }
    assert (
        while_up["/api/v1/consents"][0]
        == while_up["/api/v1/events"][0]
        == while_up["/api/v1/dashboard-links"][0]
        == 201
    )
    assert while_up["/api/v1/consents/state"][1]["purposes"]["recommendations"]["state"] == "given"
    assert while_up["/api/v1/events"][1]["stored"] is True
    link = while_up["/api/v1/dashboard-links"][1]["url"]
    assert link.startswith(f"http://localhost:{deployment.eu.port}/privacy/open/")
    # The region's rules, not only its cell: what runs in the US may not use the data there.
    assert [reason["code"] for reason in while_up["/access/v1/evaluation"][1]["context"]["reasons"]] == ["residency"]

    deployment.stop(deployment.us)  # now the last decision is in its log
    words, in_files = _words(deployment)
    for cell in (deployment.eu, deployment.us):
        deployment.run(cell, "verify")
    here = deployment.found(deployment.us, _TABLES.format(words=json.dumps(words)))
    there = deployment.found(deployment.eu, _TABLES.format(words=json.dumps(words)))

    assert here == []
    assert files_with(deployment.us.home, in_files) == []
    assert {name.removeprefix("public.") for name in there} >= {
        "audit_auditevent", "consent_consentrecord", "consent_datasubject", "consent_subjectlink",
        "personalization_event", "policies_decision",
    }  # fmt: skip
    assert files_with(deployment.eu.home, in_files) != []
    assert deployment.found(deployment.us, _UNASKED) == ["cell_unavailable", "region_unknown"]
