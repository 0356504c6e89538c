"""The US cell before a fake EU cell, and the EU cell as the US cell finds it; one database, two routers."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from policies.endpoints import credentials
from tests.helpers.fake_cell import FakeCell, fake_cell


@pytest.fixture
def eu() -> Iterator[FakeCell]:
    with fake_cell() as cell:
        yield cell


@pytest.fixture
def us(become: Callable[..., None], eu: FakeCell, shop_token: str) -> str:
    """This process is the US cell, and this the token of a service. The EU cell is the fake one."""
    become("us", {"eu": eu.url})
    return shop_token


@pytest.fixture
def as_us(shop_token: str, become: Callable[..., None]) -> dict[str, Any]:
    """This process is the EU cell; the environ with which the US cell asks it for its service 'shop'."""
    become("eu")
    scopes = ["cells", "decisions", "consents", "events", "recommendations", "requests", "subject_links"]
    token, _ = credentials.create_credential(name="cell-us", scopes=scopes, actor="test")
    return {
        "HTTP_AUTHORIZATION": f"Bearer {token}",
        "HTTP_X_ASSENT_CELL": "us",
        "HTTP_X_ASSENT_CALLER": "web%20shop",
    }
