"""Operating-system user of the database server.

PostgreSQL refuses to run as root (``main.c``, check_root), so root starts it as the user ``nobody``; all others start
it as themselves.
"""

import os
import pwd
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from governance.launcher.errors import refused

_UNPRIVILEGED = "nobody"


@dataclass(frozen=True)
class ServerUser:
    """A user by number; ``differs`` says whether it is another one than the launcher's."""

    uid: int
    gid: int
    differs: bool

    def require_name(self) -> None:
        """Raise InstanceError if the user database does not know this user; PostgreSQL would not start."""
        try:
            pwd.getpwuid(self.uid)
        except KeyError:
            raise refused(
                f"PostgreSQL needs a user with a name and uid {self.uid} has none (see /etc/passwd)."
            ) from None

    def popen_arguments(self) -> dict[str, Any]:
        """Return what makes ``subprocess`` run a program as this user."""
        return {"user": self.uid, "group": self.gid, "extra_groups": []} if self.differs else {}

    def own(self, path: Path) -> None:
        """Give a file or folder to this user."""
        if self.differs:
            os.chown(path, self.uid, self.gid)

    def reaches(self, folder: Path) -> bool:
        """Say whether this user can pass through ``folder`` and every folder above it."""
        if not self.differs:
            return True
        path = folder.resolve()
        return all(self._is_granted(part, 0o1) for part in (path, *path.parents))

    def reads(self, file: Path) -> bool:
        """Say whether this user can reach and read ``file``."""
        return not self.differs or (self.reaches(file.parent) and self._is_granted(file, 0o4))

    def _is_granted(self, path: Path, bit: int) -> bool:
        try:
            status = path.stat()
        except OSError:
            return False
        shift = 6 if status.st_uid == self.uid else 3 if status.st_gid == self.gid else 0
        return bool(stat.S_IMODE(status.st_mode) & (bit << shift))


def server_user() -> ServerUser:
    """Return the user for the database server; raises InstanceError if root finds no user ``nobody``."""
    if os.geteuid() != 0:
        return ServerUser(os.geteuid(), os.getegid(), differs=False)
    try:
        entry = pwd.getpwnam(_UNPRIVILEGED)
    except KeyError:
        raise refused(
            f"PostgreSQL refuses to run as root and there is no user {_UNPRIVILEGED!r}; start as another."
        ) from None
    return ServerUser(entry.pw_uid, entry.pw_gid, differs=True)
