"""The port an instance listens on."""

import socket
import subprocess
import sys

import pytest

from governance.launcher.errors import InstanceError
from governance.launcher.home.ports import hold_port, parse_port, require_free_port
from tests.helpers.paths import CHECKOUT


@pytest.mark.parametrize("text", ["", "0", "65536", "80 80", "-1", "http", "٣٣٣٣", "8000.0", "9" * 5000])
def test_nonsense_is_no_port(text):
    with pytest.raises(InstanceError, match="from 1 to 65535") as caught:
        parse_port(text)

    assert caught.value.exit_code == 2


def test_a_number_is_a_port():
    assert parse_port("65535") == 65535


@pytest.mark.parametrize("address", ["127.0.0.1", "0.0.0.0"])
def test_a_port_with_a_listener_is_in_use(address):
    with socket.create_server((address, 0)) as listener:
        port = listener.getsockname()[1]

        with pytest.raises(InstanceError, match=f"Port {port} is in use"):
            require_free_port(port)

    require_free_port(port)


def test_a_shared_listener_does_not_share_with_us():
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        listener.bind(("127.0.0.1", 0))
        listener.listen()

        with pytest.raises(InstanceError, match="in use"):
            require_free_port(listener.getsockname()[1])


def test_a_claimed_port_is_refused_to_another_instance(tmp_path):
    with hold_port(8697), pytest.raises(InstanceError, match="Port 8697 belongs to another instance"), hold_port(8697):
        pass

    with hold_port(8697), hold_port(8698):
        pass


def test_the_claim_of_a_killed_instance_is_free():
    script = "from governance.launcher.home.ports import hold_port\nwith hold_port(8699): print(1, flush=True); input()"
    holder = subprocess.Popen(
        [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=CHECKOUT
    )
    holder.stdout.readline()
    with pytest.raises(InstanceError, match="another instance"), hold_port(8699):
        pass

    holder.kill()
    holder.communicate()

    with hold_port(8699):
        pass
