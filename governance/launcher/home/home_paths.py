"""Paths of a home elsewhere: a cluster below /var/lib/assent, sockets below /tmp.

Both exist only for homes that are closed to the server's user or lie deep in the tree.
"""

import shutil

from governance.launcher.home.home import Home
from governance.launcher.home.server_user import server_user
from governance.launcher.home.sockets import socket_folder


def remove_outside_parts(home: Home) -> None:
    """Delete the cluster and the sockets of a home that is about to be deleted; nothing may run there."""
    for folder in ((home.path / "postgres").resolve(), socket_folder(home, server_user())):
        shutil.rmtree(folder, ignore_errors=True)
