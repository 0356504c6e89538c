"""A port that a test claimed is its own until it ends."""

import errno
import socket
import sys

import pytest

from tests.helpers.ports import LOOPBACK, claimed_neighbours, claimed_port

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="Needs Linux: elsewhere a claim cannot be shared")


def _listen(port):
    return socket.create_server((LOOPBACK, port))  # sets SO_REUSEADDR


def test_a_server_of_the_test_listens_on_a_claimed_port_twice():
    with claimed_port() as port:
        for _ in range(2):
            with _listen(port), socket.create_connection((LOOPBACK, port)):
                pass


def test_connections_are_refused_until_the_server_listens():
    with claimed_port() as port, pytest.raises(ConnectionRefusedError):
        socket.create_connection((LOOPBACK, port))


def test_a_claimed_port_is_refused_to_other_programs():
    with claimed_port() as port, socket.socket() as other, pytest.raises(OSError) as refused:
        other.bind((LOOPBACK, port))
    assert refused.value.errno == errno.EADDRINUSE


def test_two_ports_in_a_row_are_claimed_and_given_back():
    with claimed_neighbours() as port:
        for number in (port, port + 1):
            with socket.socket() as other, pytest.raises(OSError):
                other.bind((LOOPBACK, number))
            _listen(number).close()
    for number in (port, port + 1):
        with socket.socket() as other:
            other.bind((LOOPBACK, number))
