"""The US cell before a fake EU cell, and the EU cell as the US cell finds it; one database, two routers."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from consent import residence
from governance import wsgi
from personalization import cells
from policies.cells import client, residence_guard
from policies.cells.router import CellRouter
from policies.cells.routes import SUBJECT_ROUTES
from policies.endpoints import credentials
from tests.helpers.cell_tables import table_of
from tests.helpers.fake_cell import FakeCell, fake_cell


@pytest.fixture
def eu() -> Iterator[FakeCell]:
    with fake_cell() as cell:
        yield cell


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
def us(become: Callable[..., None], eu: FakeCell, shop_token: str) -> str:
    """This process is the US cell, and this the token of a service. The EU cell is the fake one."""
    become("us", {"eu": eu.url})
    return shop_token


@pytest.fixture
def as_us(shop_token: str, become: Callable[..., None]) -> dict[str, Any]:
    """This process is the EU cell; the environ with which the US cell asks it for its service 'shop'."""
    become("eu")
    scopes = ["cells", "decisions", "consents", "events", "recommendations", "subject_links"]
    token, _ = credentials.create_credential(name="cell-us", scopes=scopes, actor="test")
    return {
        "HTTP_AUTHORIZATION": f"Bearer {token}",
        "HTTP_X_ASSENT_CELL": "us",
        "HTTP_X_ASSENT_CALLER": "web%20shop",
    }
