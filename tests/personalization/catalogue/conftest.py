"""Calls of the catalogue's endpoints."""

from collections.abc import Callable
from typing import Any

import pytest

from policies.endpoints import credentials
from tests.conftest import Api

Call = Callable[..., Any]


@pytest.fixture
def items(api: Api) -> Call:
    """Call an item's address, or that of the batch, as one service or another."""

    def call(method: str, address: str, body: Any = None, *, service: Api = api) -> Any:
        if method == "get":
            return service.client.get(f"/api/v1/items/{address}", headers={"Authorization": f"Bearer {service.token}"})
        return service.post(f"/api/v1/items/{address}", {} if body is None else body, method=method)

    return call


@pytest.fixture
def other(register_in_force: None) -> Api:
    """Another service with the same scopes."""
    return Api(credentials.create_credential(name="warehouse", scopes=["items", "events"], actor="test")[0])
