"""Lists in the loop of a server, which never waits: they are answered at once, or nothing has happened yet."""

import json
import threading
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from django.db import connections
from psycopg.pq.abc import PGresult

from common.waiting import no_wait
from common.waiting.no_wait import WouldWait
from governance import wsgi
from governance.demo.datasets import Dataset
from governance.front import django_threads
from personalization.models import Item
from personalization.monitors import tally
from personalization.serving import lists

pytestmark = pytest.mark.django_db
_REFUSED = "would wait"


@pytest.fixture
def reader(api: Any, deployed: Any, remember: Any, shop: Dataset) -> None:
    assert api.save("customer-1", "give").status_code == 201
    remember("customer-1", [item.id for item in shop.items[:6]])


@pytest.fixture
def in_the_loop(token: str, ask: Callable[..., Any], reader: None) -> Callable[..., Any]:
    """Answer in a thread like the loop's; a request that would wait there is not answered."""
    ask(), ask(requested_level="none")  # what a process needs once is loaded

    def answer(**members: Any) -> Any:
        body = json.dumps({"subject": {"id": "customer-1"}, **members}).encode()
        environ = {
            "REQUEST_METHOD": "POST", "PATH_INFO": "/api/v1/recommendations", "CONTENT_TYPE": "application/json",
            "CONTENT_LENGTH": str(len(body)), "HTTP_AUTHORIZATION": f"Bearer {token}", "wsgi.input": BytesIO(body),
        }  # fmt: skip
        begun = wsgi.begin(environ, lambda *_: None)
        assert isinstance(begun, wsgi.CountedBegun)
        return _concluded(begun, begun.statement.execute(begun.parameters()))

    return answer


def _concluded(begun: wsgi.CountedBegun, row: PGresult) -> Any:
    found: list[Any] = []

    def run() -> None:
        no_wait.forbid()
        connections["default"].connect = django_threads._refuse  # type: ignore[method-assign]
        try:
            found.append(json.loads(b"".join(begun.conclude(row, lambda *_: None))))
        except WouldWait:
            found.append(_REFUSED)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    return found[0]


def _logged(spool: Path) -> int:
    return sum(path.read_bytes().count(b"\n") for path in spool.rglob("*") if path.is_file())


@pytest.mark.parametrize("level", ["none", "segment", "behavioral", "individual"])
def test_a_list_is_answered_without_waiting(
    in_the_loop: Callable[..., Any], ask: Callable[..., Any], own_spool: Path, level: str
) -> None:
    ask(requested_level=level)  # so that the decision is remembered
    lists.LISTS.clear()
    logged = _logged(own_spool)

    answer = in_the_loop(requested_level=level)

    assert _logged(own_spool) == logged + 1
    assert {**answer, "decision_id": ""} == {**ask(requested_level=level), "decision_id": ""}


@pytest.mark.parametrize(
    "members",
    [{"candidates": ["a", "b"]}, {"count": 100}, {"region": "FR"}],
    ids=["candidates", "long", "another fact"],
)
def test_what_would_wait_is_neither_answered_nor_logged(
    in_the_loop: Callable[..., Any], own_spool: Path, members: dict[str, Any]
) -> None:
    logged, counted = _logged(own_spool), tally.counts().own()

    assert in_the_loop(**members) == _REFUSED

    assert (_logged(own_spool), tally.counts().own()) == (logged, counted)


def test_items_of_a_new_revision_are_read_by_a_thread_that_may_wait(
    in_the_loop: Callable[..., Any], ask: Callable[..., Any], own_spool: Path
) -> None:
    Item.objects.update(title="Anew")
    logged = _logged(own_spool)

    assert in_the_loop() == _REFUSED
    assert _logged(own_spool) == logged

    ask()
    assert {each["title"] for each in in_the_loop()["items"]} == {"Anew"}


def test_the_loop_loads_no_model(in_the_loop: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("personalization.engine._loaded", {})
    lists.LISTS.clear()

    assert in_the_loop() == _REFUSED
