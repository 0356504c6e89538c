"""Home folder of one instance: its identity, secrets, logs and data.

::

    instance.json   identity, written last: a folder without it is not (yet) a home
    secrets/        one file each, 0600: secret_key, subject_key, postgres_password, valkey_password
    postgres/       the database cluster, or a link to it below /var/lib/assent (see postgres_cluster)
    valkey/         the broker's append-only file
    logs/           one file for each process
    run/            locks, sockets and records that mean nothing after a restart of the machine
"""

import json
import os
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from governance.launcher.errors import refused
from governance.launcher.home.locks import hold
from governance.launcher.home.server_user import ServerUser, server_user

DEFAULT_HOME = ".assent"
_PRIVATE = 0o700
_PASSABLE = 0o711
_FILE_MODE = 0o600
_MARKER = "instance.json"
_SETUP_LOCK = ".setup.lock"

_SECRETS: dict[str, Callable[[], str]] = {
    "secret_key": lambda: secrets.token_urlsafe(48),
    "subject_key": lambda: secrets.token_hex(32),
    "postgres_password": lambda: secrets.token_urlsafe(24),
    "valkey_password": lambda: secrets.token_urlsafe(24),
}


@dataclass(frozen=True)
class Home:
    """Home folder that exists; ``path`` is absolute, ``instance_id`` random hex."""

    path: Path
    instance_id: str

    @cached_property
    def mark(self) -> str:
        """Return what names this very folder on this machine: a copy has the same ``instance_id`` and another mark."""
        status = self.path.stat()
        return f"{self.instance_id}-{status.st_dev:x}-{status.st_ino:x}"

    @property
    def logs(self) -> Path:
        return self.path / "logs"

    @property
    def run(self) -> Path:
        return self.path / "run"

    @property
    def supervisor_lock(self) -> Path:
        """Return the lock held by the one supervisor of this home, whose record `launcher_lock` reads."""
        return self.run / "supervisor.lock"

    @property
    def users_lock(self) -> Path:
        """Return the lock held shared by everything that uses the database, so the last one can stop it."""
        return self.run / "users.lock"

    @property
    def start_lock(self) -> Path:
        """Return the lock held while embedded servers are started or stopped."""
        return self.run / "start.lock"

    def log(self, name: str) -> Path:
        """Return the log file of the process called ``name``."""
        return self.logs / f"{name}.log"

    def secret_file(self, name: str) -> Path:
        """Return the file of a secret: secret_key, subject_key, postgres_password, valkey_password."""
        return self.path / "secrets" / name

    def secret(self, name: str) -> str:
        """Return a secret's value."""
        return self.secret_file(name).read_text().strip()


def find_home(path: Path) -> Home | None:
    """Return the home at ``path``, None if there is none; changes nothing."""
    marker = path.absolute() / _MARKER
    try:
        content = json.loads(marker.read_text())
    except (FileNotFoundError, NotADirectoryError):
        return None
    except PermissionError:
        raise refused(f"{marker} belongs to another user; use the user who started this instance.") from None
    except ValueError:
        raise refused(f"{marker} is damaged; restore it from a backup.") from None
    return Home(marker.parent, content["id"])


def open_home(path: Path) -> Home:
    """Return the home at ``path``, making it first if need be.

    Secrets are generated once and never replaced. Raises InstanceError if the path is a file, cannot be
    written, or is a folder that holds something else.
    """
    path = path.absolute()
    try:
        _make_folder(path)
        with hold(path / _SETUP_LOCK):
            return find_home(path) or _set_up(path)
    except (FileExistsError, NotADirectoryError):
        raise refused(f"{path} is not a folder; choose another with --home.") from None
    except PermissionError as exc:
        raise refused(f"{exc.filename or path} cannot be written by this user; choose another --home.") from exc


def _make_folder(path: Path) -> None:
    path.mkdir(parents=True, exist_ok=True)
    if not os.access(path, os.W_OK | os.X_OK):
        raise PermissionError(0, "not writable", str(path))
    unexpected = {entry.name for entry in path.iterdir()} - {_MARKER, _SETUP_LOCK, *_FOLDERS}
    if unexpected and not (path / _MARKER).exists():
        raise refused(f"{path} holds other files already; choose an empty or new folder with --home.")


_FOLDERS = ("secrets", "logs", "run", "valkey")


def _set_up(path: Path) -> Home:
    mode = _home_mode(path, server_user())
    path.chmod(mode)
    for name in _FOLDERS:
        (path / name).mkdir(exist_ok=True)
        (path / name).chmod(mode if name == "run" else _PRIVATE)
    for name, generate in _SECRETS.items():
        if not (path / "secrets" / name).exists():
            write_private(path / "secrets" / name, generate())
    home = Home(path, secrets.token_hex(8))
    write_private(path / _MARKER, json.dumps({"id": home.instance_id}))
    return home


def _home_mode(path: Path, user: ServerUser) -> int:
    # The server's own user has to pass through to its data, but never sees the names in here.
    return _PASSABLE if user.differs and user.reaches(path.parent) else _PRIVATE


def write_private(path: Path, content: str) -> None:
    """Write a file only its owner can read, whole or not at all, and onto the disk before returning."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, _FILE_MODE)
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    except OSError:
        draft.unlink(missing_ok=True)
        raise
