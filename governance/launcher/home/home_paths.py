"""Paths of a home elsewhere: a cluster below /var/lib/assent, sockets below /tmp; and homes that are deleted after use.

The paths elsewhere exist only for homes that are closed to the server's user or lie deep in the tree.
"""

import contextlib
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from governance.launcher.home.home import Home, open_home
from governance.launcher.home.server_user import server_user
from governance.launcher.home.sockets import socket_folder


def remove_outside_parts(home: Home) -> None:
    """Delete the cluster and the sockets of a home that is about to be deleted; nothing may run there."""
    for folder in ((home.path / "postgres").resolve(), socket_folder(home, server_user())):
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def throwaway_home() -> Iterator[Home]:
    """Have a home for the block and delete it afterwards, with its parts elsewhere."""
    folder = Path(tempfile.mkdtemp(prefix="assent-test-"))
    try:
        home = open_home(folder)
        try:
            yield home
        finally:
            remove_outside_parts(home)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
