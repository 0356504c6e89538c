"""Uploaded tables: taken in whole or not at all, kept in the installation's folder, removed when their time is over.

Files are readable for the installation's own account only, and encrypted under its secret and the table's identifier:
a table is plain only in a file without a name, for as long as it is read. What cannot be read as a table is refused by
the readers of ``privacy.anonymisation``, and leaves no file.
"""

import errno
import re
import shutil
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, replace
from datetime import datetime, timedelta
from pathlib import Path

from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from audit import trail
from common import actors
from common.identifiers import uuid7
from common.sealing.stream import Opener, Sealer, Unsealable
from privacy.anonymisation.errors import AnonymisationError
from privacy.anonymisation.files.opening import open_table
from privacy.anonymisation.files.replacing import nameless, replacing
from privacy.models import TableRelease, UploadedTable
from privacy.releases.problems import TableRefused
from privacy.releases.profiling import Profile, Role, profile

MOST_BYTES = 2 * 1024**3
MOST_DAYS = 365
KEPT_DAYS = 30
_UNSAFE = re.compile(r"[^\w. -]+")
_ORPHANED_AFTER = timedelta(days=1)
_BLOCK = 1 << 20
_SEALED = b"assent-table-1\n"
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


def folder(name: str) -> Path:
    """Return a folder of releases, made where it is missing: for the installation's account alone."""
    place = Path(settings.RELEASE_DIR) / name
    place.mkdir(mode=0o700, parents=True, exist_ok=True)
    return place


def file_of(table: UploadedTable) -> Path:
    """Return where an uploaded table's file is."""
    return folder("uploads") / f"{table.pk}{table.suffix}"


def take_file(path: Path, *, actor: str, days: int = KEPT_DAYS) -> UploadedTable:
    """Take in a table from a file of this machine. Raises TableRefused, OSError."""
    with path.open("rb") as content:
        parts = iter(lambda: content.read(_BLOCK), b"")
        return take(path.name, parts, actor=actor, days=days)


def take(
    name: str,
    parts: Iterable[bytes],
    *,
    actor: str,
    days: int = KEPT_DAYS,
    source: str = "",
    roles: Mapping[str, tuple[Role, str]] | None = None,
) -> UploadedTable:
    """Take in a table, part by part: its file is there once its row is. Raises TableRefused.

    ``source`` is the registered data set that it was read from; ``roles`` and reasons of columns that are known.
    """
    if not 1 <= days <= MOST_DAYS:
        raise TableRefused(f"A table is kept for 1 to {MOST_DAYS} days.")
    table = UploadedTable(id=uuid7(), name=_plain(name), author=str(actor)[:160], source=source)
    table.keep_until = table.uploaded_at + timedelta(days=days)
    place = file_of(table)
    try:
        with nameless(place.parent) as plain, replacing(place) as held:
            table.size = _written(plain, parts)
            found = open_table(plain, named=place)
            table.sha256 = found.sha256
            table.rows, columns = profile(found)
            table.columns = [asdict(_known(each, roles or {})) for each in columns]
            _seal(table, plain, held)
            _keep(table, actor)
    except AnonymisationError as refused:
        raise TableRefused(_by_name(str(refused), table, plain)) from None
    except OSError as failed:
        if not is_full(failed):
            raise
        raise TableRefused("There is no room for it on the disk: nothing was kept.") from None
    return table


def is_full(failed: OSError) -> bool:
    """Return whether a file could not be written because there is no room for it."""
    return failed.errno in _FULL


@contextmanager
def opened(table: UploadedTable) -> Iterator[Path]:
    """Lend the plain file of a table, without a name in the folder. Raises AnonymisationError, FileNotFoundError."""
    place = file_of(table)
    with nameless(place.parent) as plain:
        for secret in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS):
            try:
                with place.open("rb") as sealed, plain.open("wb") as file:
                    shutil.copyfileobj(Opener(sealed, _key(table, secret), _SEALED), file, _BLOCK)
                break
            except Unsealable:
                continue
        else:
            raise AnonymisationError(
                "The table's file was changed, or is under a secret that is gone: take it in anew."
            )
        try:
            yield plain
        except AnonymisationError as refused:
            raise type(refused)(_by_name(str(refused), table, plain)) from None


def _seal(table: UploadedTable, plain: Path, held: Path) -> None:
    held.chmod(0o600)
    with (
        plain.open("rb") as content,
        held.open("wb") as file,
        Sealer(file, _key(table, settings.SECRET_KEY), _SEALED) as to,
    ):
        shutil.copyfileobj(content, to, _BLOCK)


def _key(table: UploadedTable, secret: str) -> bytes:
    return secret.encode() + table.pk.bytes


def _by_name(said: str, table: UploadedTable, plain: Path) -> str:
    """Return a refusal with the name that people know in place of that of the plain file."""
    return said.replace(f"'{plain.name}'", f"'{table.name}'")


def _known(column: Profile, roles: Mapping[str, tuple[Role, str]]) -> Profile:
    role, why = roles.get(column.name, (column.role, column.why))
    return replace(column, role=role, why=why)


@transaction.atomic
def _keep(table: UploadedTable, actor: str) -> None:
    table.save(force_insert=True)
    details = {"sha256": table.sha256, "size": table.size, "rows": table.rows, "until": table.keep_until.isoformat()}
    if table.source:
        details["source"] = table.source
    trail.record("table.uploaded", str(table.pk), actor=actor, details=details)


def _plain(name: str) -> str:
    """Return a file's name without what is no word: it is shown, never used as a path."""
    return _UNSAFE.sub("_", Path(name).name)[-120:].strip() or "table.csv"


def _written(held: Path, parts: Iterable[bytes]) -> int:
    size = 0
    with held.open("wb") as file:
        for part in parts:
            size += len(part)
            if size > MOST_BYTES:
                raise TableRefused(f"A table may have {MOST_BYTES // 1024**3} GB at most.")
            file.write(part)
    return size


def forget_old(now: datetime | None = None) -> int:
    """Remove the files whose time is over, and those that no row names; return how many."""
    now = now or timezone.now()
    removed = sum(_remove(table, now) for table in UploadedTable.objects.filter(removed_at=None, keep_until__lte=now))
    return removed + sum(_unlinked(path) for path in _orphans(now))


def alike(table: UploadedTable) -> QuerySet[UploadedTable]:
    """Return the tables with the same content, or of the same data set; the table itself is one of them."""
    same = Q(sha256=table.sha256)
    return UploadedTable.objects.filter(same | Q(source=table.source) if table.source else same)


def lock_alike(table: UploadedTable) -> None:
    """Let what is decided of a table, and of those alike, be decided one after the other until the transaction ends.

    What was published of it, and which budget pays, stands in rows that another transaction may just be writing.
    """
    list(alike(table).select_for_update(no_key=True).order_by("pk").values_list("pk"))


def _remove(table: UploadedTable, now: datetime) -> int:
    """Remove an uploaded table's file, and those of its copies that are not in force."""
    with transaction.atomic():
        # Waits for an approval that is under way; of a table that is removed nothing is approved any more.
        UploadedTable.objects.filter(pk=table.pk, removed_at=None).update(removed_at=now)
        copies = [each for each in table.releases.select_related("table") if not each.is_in_force(now)]
        trail.record("table.removed", str(table.pk), actor=actors.job("releases"), details={"sha256": table.sha256})
    return sum(_unlinked(path) for path in (file_of(table), *map(copy_of, copies)))


def copy_of(release: TableRelease) -> Path:
    """Return where the copy of a release is."""
    return folder("copies") / release.file_name


def _orphans(now: datetime) -> Iterator[Path]:
    known = {file_of(table).name for table in UploadedTable.objects.filter(removed_at=None)}
    known |= {each.file_name for each in TableRelease.objects.filter(table__removed_at=None).select_related("table")}
    known |= {f"{digest}.csv" for digest in _hierarchies()}
    in_force = TableRelease.objects.filter(stage=TableRelease.Stage.PUBLISHED, expires_at__gt=now)
    known |= {each.file_name for each in in_force.select_related("table")}
    for path in (file for name in ("uploads", "copies", "hierarchies") for file in folder(name).iterdir()):
        age = now.timestamp() - path.stat().st_mtime
        if path.name.removesuffix(".report.json") not in known and age > _ORPHANED_AFTER.total_seconds():
            yield path


def _hierarchies() -> Iterator[str]:
    asked = TableRelease.objects.filter(table__removed_at=None).values_list("asked__hierarchies", flat=True)
    return (digest for each in asked for digest in (each or {}).values())


def _unlinked(path: Path) -> int:
    if not path.exists():
        return 0
    path.unlink()
    path.with_name(f"{path.name}.report.json").unlink(missing_ok=True)
    return 1
