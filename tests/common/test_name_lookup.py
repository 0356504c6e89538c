"""Names are looked up within a time limit and by few threads, however long the resolver takes."""

import socket
import threading

import pytest

from common.http import outgoing
from common.waiting import name_lookup
from common.waiting.name_lookup import THREADS, NameLookupTimeout
from governance.oidc import fetch
from governance.oidc.client import ProviderUnavailable
from policies.cells import client
from policies.cells.client import CellUnavailable
from policies.cells.table import Cell
from policies.engines import EngineFailure
from policies.engines.opa import OpaEngine
from tests.helpers.fact_sheets import FACTS
from tests.helpers.polling import until
from tests.helpers.ports import claimed_port
from tests.helpers.unusable_policies import UNUSABLE, asked_of

_ANSWER = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", 0))]


def _at_work():
    return [thread for thread in threading.enumerate() if thread.name == "name-lookup"]


@pytest.fixture
def resolver(monkeypatch):
    """A resolver that hangs until it is let go."""
    go = threading.Event()

    def hanging(*_question, **_options):
        go.wait()
        return _ANSWER

    monkeypatch.setattr(socket, "getaddrinfo", hanging)
    yield go
    go.set()
    until(lambda: not _at_work(), "the look-ups end")


def test_look_up_of_a_resolver_that_hangs_ends(resolver):
    with pytest.raises(NameLookupTimeout):
        name_lookup.addresses("opa.example", 443, timeout_s=0.05)


def test_resolver_that_hangs_holds_few_threads(resolver):
    for _ in range(3 * THREADS):
        with pytest.raises(NameLookupTimeout):
            name_lookup.addresses("opa.example", 443, timeout_s=0.01)
    assert len(_at_work()) == THREADS

    resolver.set()
    until(lambda: not _at_work(), "the look-ups end")
    assert name_lookup.addresses("opa.example", 443, timeout_s=30) == ["127.0.0.1"]


@pytest.mark.parametrize("address", ["127.0.0.1", "::1", "192.0.2.7"])
def test_address_needs_no_resolver(resolver, address):
    assert name_lookup.addresses(address, 443, timeout_s=0.01) == [address]


@pytest.mark.parametrize("host", ["no-such-name.invalid", "a" * 70 + ".example", ""])
def test_name_that_is_none_is_an_error_of_the_system(monkeypatch, host):
    def failing(name, *_question, **_options):
        name.encode("idna")
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", failing)
    with pytest.raises(OSError, match=r"."):
        name_lookup.addresses(host, 443, timeout_s=30)
    assert not _at_work()


def test_next_address_is_taken_where_the_first_refuses(monkeypatch):
    found = [(socket.AF_INET6, socket.SOCK_STREAM, 6, "", ("::1", 0, 0, 0)), *_ANSWER]
    monkeypatch.setattr(name_lookup, "addresses", lambda *_question, **_options: [each[4][0] for each in found])
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with name_lookup.connected("two.example", port, timeout_s=30) as channel:
            assert channel.getpeername() == ("127.0.0.1", port)


def test_connection_no_address_takes_is_refused():
    with claimed_port() as port, pytest.raises(ConnectionRefusedError):
        name_lookup.connected("127.0.0.1", port, timeout_s=30)


# --- callers of other services ----------------------------------------------------------------------


def test_sign_in_whose_provider_has_no_address_in_time_fails(resolver, monkeypatch):
    monkeypatch.setattr(outgoing, "CONNECT_TIMEOUT_S", 0.05)
    with pytest.raises(ProviderUnavailable):
        fetch.fetch_json("https://id.example/jwks", issuer="https://id.example")


def test_question_to_a_server_without_an_address_fails(resolver):
    engine = OpaEngine("http://opa.example:8181", timeout_ms=50, push=False)
    with pytest.raises(EngineFailure):
        engine.evaluate(asked_of(next(iter(UNUSABLE.values()))[0]), FACTS)


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_cell_without_an_address_is_unavailable(resolver, monkeypatch, scheme):
    monkeypatch.setattr(client, "read_token", lambda _cell: "token")
    cell = Cell(name=f"eu-{scheme}", url=f"{scheme}://eu.example", processing_region="eu-central")
    with pytest.raises(CellUnavailable):
        client.call(cell, "GET", "/", seconds=0.05)
