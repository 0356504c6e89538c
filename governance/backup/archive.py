"""A backup: removal of drained spools paused, then the database, then the spool and the models; and back.

Secrets stay in the home: they are not in a backup, nor is the erasure ledger, which has to be newer than any of them.
"""

import io
import json
import shutil
import tarfile
import tempfile
from pathlib import Path
from typing import IO, Any, cast

from django.conf import settings
from django.utils import timezone

from governance.backup import dumping
from governance.backup.sealing import NotABackup, Opener, Sealer, key
from policies.decision_log import backup_pause
from privacy.erasures import ledger

_ABOUT, _DATABASE = "about.json", "database.dump"
_FOLDERS = {"spool": "SPOOL_DIR", "models": "MODEL_DIR"}
REPLAY_DUE = "replay_due"


class LedgerTooOld(Exception):
    """Refusal to restore where the erasure ledger lacks what it had when the backup was made."""


def write(file: Path) -> int:
    """Write a backup; return its size. Never leaves half of one under the name."""
    draft = file.with_name(f".{file.name}.part")
    try:
        with draft.open("xb") as target, Sealer(target, key(create=True)) as sealed:
            _fill(cast("IO[bytes]", sealed))
        draft.chmod(0o600)
        draft.rename(file)
    finally:
        draft.unlink(missing_ok=True)
    return file.stat().st_size


def _fill(target: IO[bytes]) -> None:
    with tempfile.TemporaryDirectory(dir=settings.ASSENT_HOME) as room, tarfile.open(fileobj=target, mode="w|") as tar:
        last = ledger.last() or {"seq": 0, "digest": ""}
        about = {"made_at": timezone.now().isoformat(), "ledger": {"seq": last["seq"], "digest": last["digest"]}}
        _add_text(tar, _ABOUT, json.dumps(about))
        with backup_pause.paused():
            dumping.dump(Path(room) / _DATABASE)
            tar.add(Path(room) / _DATABASE, _DATABASE)
            for name, setting in _FOLDERS.items():
                _add_folder(tar, name, Path(getattr(settings, setting)))


def _add_text(tar: tarfile.TarFile, name: str, text: str) -> None:
    member = tarfile.TarInfo(name)
    member.size = len(text)
    tar.addfile(member, io.BytesIO(text.encode()))


def _add_folder(tar: tarfile.TarFile, name: str, folder: Path) -> None:
    """Add a folder's files as long as they were when each was looked at: a spool goes on growing."""
    for file in sorted(path for path in folder.rglob("*") if path.is_file()) if folder.exists() else ():
        with file.open("rb") as source:
            tar.addfile(tar.gettarinfo(arcname=f"{name}/{file.relative_to(folder)}", fileobj=source), source)


def restore(file: Path) -> dict[str, Any]:
    """Replace the database, put back spool and models; return what the backup says of itself.

    From here on the instance is not served until the erasure ledger was replayed. Raises NotABackup, LedgerMissing,
    LedgerTooOld, InUse.
    """
    if not ledger.exists():
        raise ledger.LedgerMissing(
            "There is no erasure ledger here: what was withdrawn or deleted since the backup would come back. "
            "Put it back from its second place (ERASURE_LEDGER_COPY)."
        )
    with tempfile.TemporaryDirectory(dir=settings.ASSENT_HOME) as room:
        about = _unpack(file, Path(room))
        _refuse_older_ledger(about)
        dumping.refuse_in_use()
        replay_due().parent.mkdir(parents=True, exist_ok=True)
        replay_due().touch()
        dumping.restore(Path(room) / _DATABASE)
        for name, setting in _FOLDERS.items():
            _add_missing(Path(room) / name, Path(getattr(settings, setting)))
    return about


def _unpack(file: Path, room: Path) -> dict[str, Any]:
    with file.open("rb") as source:
        plain = io.BufferedReader(cast("io.RawIOBase", Opener(source, key(create=False))))
        try:
            with tarfile.open(fileobj=plain, mode="r|") as tar:
                tar.extractall(room, filter="data")
            plain.read()  # to the marked end
        except tarfile.TarError as exc:
            raise NotABackup("The backup cannot be read.") from exc
    about: dict[str, Any] = json.loads((room / _ABOUT).read_text(encoding="utf-8"))
    return about


def _refuse_older_ledger(about: dict[str, Any]) -> None:
    seq = about["ledger"]["seq"]
    found = [line["digest"] for line in ledger.lines() if line["seq"] == seq]
    if seq and found != [about["ledger"]["digest"]]:
        raise LedgerTooOld("The erasure ledger lacks lines that it had when the backup was made, or is another one.")


def _add_missing(source: Path, target: Path) -> None:
    """Put back what is gone. A spool that is here is the longer one: its newer lines are drained once more."""
    for file in source.rglob("*") if source.exists() else ():
        place = target / file.relative_to(source)
        if file.is_file() and not place.exists():
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(file, place)


def replay_due() -> Path:
    """Return the file that stands for a restore whose replay is not done."""
    return ledger.path().parent / REPLAY_DUE
