"""Socket folders of the embedded servers.

A socket's path must fit into ``sun_path`` (108 bytes on Linux, 104 on macOS, ``unix(7)``), so a home
deep in the tree gets a short folder of its own below /tmp.
"""

import os
import stat
from pathlib import Path

from governance.launcher.errors import InstanceError, refused
from governance.launcher.home.home import Home
from governance.launcher.home.server_user import ServerUser

_MAX_FOLDER_BYTES = 90
# Not tempfile.gettempdir(): TMPDIR may be long and may differ between two commands on the same home.
_SHORT_ROOT = Path("/tmp")  # noqa: S108 - ownership of the folder below is checked


def socket_folder(home: Home, user: ServerUser) -> Path:
    """Return the folder of this home's sockets, making it if need be.

    Raises InstanceError if a folder below /tmp with this name belongs to another user.
    """
    if len(os.fsencode(home.run / "postgres")) < _MAX_FOLDER_BYTES and user.reaches(home.run):
        return home.run
    folder = _SHORT_ROOT / f"assent-{home.mark}"
    folder.mkdir(mode=0o711, exist_ok=True)
    _require_own(folder)
    folder.chmod(0o711)
    return folder


def postgres_socket_folder(home: Home, user: ServerUser) -> Path:
    """Return the folder the database server writes its socket into; only that user enters it."""
    folder = socket_folder(home, user) / "postgres"
    folder.mkdir(mode=0o700, exist_ok=True)
    user.own(folder)
    return folder


def _require_own(folder: Path) -> None:
    status = folder.lstat()
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.geteuid():
        raise _foreign(folder)


def _foreign(folder: Path) -> InstanceError:
    return refused(f"{folder} belongs to another user; remove it or use a --home with a shorter path.")
