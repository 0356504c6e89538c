"""The engines over the sample register of ``tests/cases``, and people who have chosen."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import transaction

from consent import residence
from governance import wsgi
from personalization import cells
from policies.bundles import publishing
from policies.cells import client, residence_guard
from policies.cells.router import CellRouter
from policies.cells.routes import SUBJECT_ROUTES
from policies.endpoints import credentials
from policies.engines.embedded import EmbeddedEngine
from policies.engines.opa import OpaEngine
from tests.helpers.cell_tables import table_of
from tests.helpers.kept_register import KeptRegister
from tests.helpers.policy_engines import REGISTER, Ask, asking, bundle_of, opa_server
from tests.helpers.wsgi_calls import call, question


@pytest.fixture(scope="session")
def opa_url() -> Iterator[str]:
    with opa_server() as url:
        yield url


@pytest.fixture(scope="session")
def opa_engine(opa_url: str) -> OpaEngine:
    return OpaEngine(opa_url, timeout_ms=60_000)


@pytest.fixture(scope="session")
def ask_embedded() -> Ask:
    return asking(EmbeddedEngine(), bundle_of(REGISTER))


@pytest.fixture(scope="session")
def ask_opa(opa_engine: OpaEngine) -> Ask:
    return asking(opa_engine, bundle_of(REGISTER))


@pytest.fixture
def consenting(api: Any) -> Any:
    """The service's API, after customer-1 has agreed to recommendations."""
    assert api.save("customer-1", "give").status_code == 201
    return api


@pytest.fixture(scope="module")
def standing_shop(kept_register: KeptRegister, django_db_blocker: Any) -> Iterator[str]:
    """The same in one transaction for all tests of a file."""
    with django_db_blocker.unblock(), transaction.atomic(), kept_register.standing():
        token = credentials.create_credential(name="shop", scopes=credentials.SERVICE_SCOPES, actor="test")[0]
        choice = {"purpose": "recommendations", "choice": "give"}
        person = {"id": "customer-1", "region": "DE", "age_band": "adult"}
        saved = call({"subject": person, "choices": [choice]}, token, path="/api/v1/consents")
        assert saved.status == 201, saved.body
        yield token
        transaction.set_rollback(True)


@pytest.fixture
def shop_token(standing_shop: str) -> Iterator[str]:
    """The token of a service; customer-1 has agreed to recommendations. What a test changes is undone after it."""
    with transaction.atomic():
        yield standing_shop
        transaction.set_rollback(True)


@pytest.fixture(scope="module")
def standing_records(standing_shop: str, django_db_blocker: Any) -> Iterator[str]:
    """The token, with the certification package in force for all tests of a file."""
    with django_db_blocker.unblock(), transaction.atomic():
        publishing.publish("certification", "test", certification=True)
        yield standing_shop
        transaction.set_rollback(True)


@pytest.fixture
def records_token(standing_records: str) -> Iterator[str]:
    """The same, and what a test changes is undone after it."""
    with transaction.atomic():
        yield standing_records
        transaction.set_rollback(True)


@pytest.fixture
def become(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Make this process a cell of a table."""

    def cell(own: str, urls: dict[str, str] | None = None, keys: Any = None) -> None:
        table = table_of(tmp_path, own, urls=urls, keys=keys)
        client._breaker.cache_clear()
        monkeypatch.setattr(client._local, "sessions", {}, raising=False)
        monkeypatch.setattr(settings, "CELLS", table)
        monkeypatch.setattr(settings, "PROCESSING_REGION", table.own.processing_region)
        routes = {**SUBJECT_ROUTES, **cells.SUBJECT_ROUTES}
        monkeypatch.setattr(wsgi, "cell_router", CellRouter(table, routes, wsgi._here))
        monkeypatch.setattr(residence, "_factory", residence_guard.guard)

    return cell


@pytest.fixture
def spooled(own_spool: Path) -> Callable[[], list[dict[str, Any]]]:
    """Read every entry this test's process has spooled, oldest first."""

    def read() -> list[dict[str, Any]]:
        lines = [line for path in sorted(own_spool.glob("*.spool")) for line in path.read_bytes().splitlines()]
        return [json.loads(line) for line in lines]

    return read


@pytest.fixture
def ask(shop_token: str) -> Callable[[int], list[str]]:
    """Ask so many questions; return the ids of the answers."""

    def asked(count: int) -> list[str]:
        answers = [call(question(f"customer-{number}"), shop_token) for number in range(count)]
        return [answer.json()["context"]["decision_id"] for answer in answers]

    return asked
