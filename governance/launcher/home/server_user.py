"""Operating-system user of the database server.

PostgreSQL refuses to run as root (``main.c``, check_root), so root starts it as the user ``assent-postgres`` where
there is one, else as ``nobody``, whose other programs can then read and change the database's files. All others start
it as themselves.
"""

import contextlib
import os
import pwd
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from governance.launcher.errors import refused

_OWN = "assent-postgres"
_SHARED = "nobody"
SHARED_USER = (
    f"warning: the database runs as {_SHARED!r}, and so may other programs of this machine, which then can read and"
    f" change its files. Make a user for it and start again: useradd --system --no-create-home {_OWN}"
)


@dataclass(frozen=True)
class ServerUser:
    """A user by number; ``differs`` says whether it is another one than the launcher's."""

    uid: int
    gid: int
    differs: bool
    is_shared: bool = False
    """Whether other programs may run as this user."""

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

    def own_all(self, folder: Path) -> None:
        """Give a folder and all in it to this user, if it is another's."""
        if self.differs and folder.stat().st_uid != self.uid:
            for path in folder.rglob("*"):
                os.chown(path, self.uid, self.gid, follow_symlinks=False)
            self.own(folder)

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
    """Return the user for the database server; raises InstanceError if root finds none."""
    if os.geteuid() != 0:
        return ServerUser(os.geteuid(), os.getegid(), differs=False)
    for name in (_OWN, _SHARED):
        with contextlib.suppress(KeyError):
            entry = pwd.getpwnam(name)
            return ServerUser(entry.pw_uid, entry.pw_gid, differs=True, is_shared=name == _SHARED)
    raise refused(f"PostgreSQL refuses to run as root and there is no user {_OWN!r}; make one, or start as another.")
