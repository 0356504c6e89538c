"""Two officers who are independent of each other, and a session that may write no register by itself."""

from collections.abc import Iterator

import pytest

from common.actors import Officer
from tests.helpers.registers import make_officer, without_writer


@pytest.fixture
def guarded(register_in_force: None) -> Iterator[None]:
    with without_writer():
        yield


@pytest.fixture
def anna(guarded: None) -> Officer:
    return make_officer("anna")


@pytest.fixture
def ben(guarded: None) -> Officer:
    return make_officer("ben")
