"""Creation of a database cluster: made aside and put in place whole, so a crash never leaves half of one."""

import os
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from governance.launcher.errors import InstanceError, disk_full, refused, reports_full_disk
from governance.launcher.home.home import Home, write_private
from governance.launcher.home.server_user import ServerUser
from governance.launcher.servers.postgres_binaries import SYSTEM_ROOT, make_system_root

ROLE = "assent"
DATABASE = "assent"
# The superuser cannot log in: it has no password and no line in pg_hba.conf. Only the
# single-user mode of the server, open to the owner of the files, acts as it.
_SUPERUSER = "postgres"
_HBA = f"# One role, by password, through the unix socket.\nlocal all {ROLE} scram-sha-256\n"
_INITDB_OPTIONS = (
    f"--username={_SUPERUSER}",
    "--auth=reject",  # replaced by _HBA
    "--encoding=UTF8",
    "--locale=C",
    "--locale-provider=builtin",
    "--builtin-locale=C.UTF-8",
    "--data-checksums",
    "--no-instructions",
    "--no-sync",  # synced in one go once it is complete, see make_cluster
)
# The last keeps the statement, and with it the password, out of an error's text.
_SINGLE_USER_OPTIONS = ("-c", "fsync=off", "-c", "exit_on_error=on", "-c", "log_min_error_statement=panic")


@dataclass(frozen=True)
class ServerPrograms:
    """Programs of the server: their folder and the user they run as."""

    folder: Path
    user: ServerUser

    def command(self, name: str, *arguments: str) -> list[str]:
        """Return the argument list of one program."""
        return [str(self.folder / name), *arguments]

    def environment(self) -> dict[str, str]:
        """Return a clean environment: a stray PGDATA or PGOPTIONS must not reach the server."""
        return {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"}

    def run(self, command: Sequence[str], *, stdin: str = "") -> None:
        """Run one program to its end; raises InstanceError with the last of its output if it fails."""
        try:
            done = subprocess.run(
                command,
                input=stdin,
                env=self.environment(),
                cwd="/",  # the server's user may be unable to enter the current folder
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                errors="replace",
                check=False,
                start_new_session=True,
                **self.user.popen_arguments(),
            )
        except PermissionError as exc:
            raise refused("PostgreSQL cannot be started as another user here; start as an ordinary user.") from exc
        if done.returncode != 0:
            raise _failed(command, done.stdout)


def ensure_cluster_place(home: Home, user: ServerUser) -> None:
    """Make the folder that holds this home's cluster if there is none.

    That is ``HOME/postgres``; if the server's user cannot reach the home, it is a link to a folder
    below /var/lib/assent named after the instance, which is random: a home made anew never meets the
    cluster of a deleted one. Raises InstanceError if the folder behind the link is gone, or another home's.
    """
    place = home.path / "postgres"
    if place.is_symlink() and not place.exists():
        raise refused(f"The database folder of {home.path} is gone ({place.readlink()}); restore it.")
    if not place.exists():
        _make_place(place, home, user)
    if place.is_symlink():
        _require_own_place(place, home)
    user.own_all(place.resolve())
    if not user.reaches(place):
        raise refused(f"{place} is closed to the user PostgreSQL runs as; open the folders above it (chmod o+x).")


def _require_own_place(place: Path, home: Home) -> None:
    """Raise InstanceError for the link of a copied home: it leads to the original's database."""
    owner = _owner_file(place)
    if not owner.exists():
        write_private(owner, home.mark)
    if is_of_another_home(home):
        raise refused(
            f"{place} leads to the database of the home that this one is a copy of; put a copy of {place.resolve()} in"
            f" place of the link. If the home was moved instead, delete {owner}."
        )


def is_of_another_home(home: Home) -> bool:
    """Say whether the link to the cluster was copied with another home, whose database it is."""
    place = home.path / "postgres"
    owner = _owner_file(place)
    return place.is_symlink() and owner.exists() and owner.read_text() != home.mark


def _owner_file(place: Path) -> Path:
    return place.resolve() / "home"


def _make_place(place: Path, home: Home, user: ServerUser) -> None:
    outside = not user.reaches(home.path)
    target = SYSTEM_ROOT / home.instance_id if outside else place
    if outside:
        make_system_root()
    target.mkdir(mode=0o700, exist_ok=True)
    user.own(target)
    if outside:
        place.symlink_to(target)


def make_cluster(data: Path, *, programs: ServerPrograms, password: str, durable: bool) -> None:
    """Make a cluster at ``data`` with the role and database of this instance.

    ``durable`` puts every file on the disk before the cluster counts as made.
    """
    programs.user.require_name()
    draft = data.with_name("data.new")
    shutil.rmtree(draft, ignore_errors=True)
    programs.run(programs.command("initdb", f"--pgdata={draft}", *_INITDB_OPTIONS))
    programs.run(
        programs.command("postgres", "--single", "-D", str(draft), *_SINGLE_USER_OPTIONS, "template1"),
        stdin=_first_statements(password),
    )
    (draft / "pg_hba.conf").write_text(_HBA)
    if durable:
        programs.run(programs.command("initdb", f"--pgdata={draft}", "--sync-only"))
    draft.rename(data)


def _first_statements(password: str) -> str:
    # Single-user mode takes one statement a line. CREATEDB is for test databases; no superuser rights. The two grants
    # are what a scrub needs (docs/retention.md); that of the function is copied into every database made from here.
    statements = (
        f"CREATE ROLE {ROLE} LOGIN CREATEDB PASSWORD '{password}'",
        f"GRANT pg_checkpoint TO {ROLE}",
        f"GRANT EXECUTE ON FUNCTION pg_switch_wal() TO {ROLE}",
        f"CREATE DATABASE {DATABASE} OWNER {ROLE}",
    )
    return "".join(f"{statement}\n" for statement in statements)


def _failed(command: Sequence[str], output: str) -> InstanceError:
    if reports_full_disk(output):
        return disk_full("the database")
    last = "; ".join(line.strip() for line in output.strip().splitlines()[-3:])
    return InstanceError(f"{Path(command[0]).name} failed: {last or 'no reason was given'}")
