"""Import a file in batches, each stored with its place in the file, so that a run resumes where the last one ended."""

import hashlib
import os
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import IO

import msgspec
from django.db import IntegrityError, transaction
from django.utils import timezone

from audit import trail
from common.postgres import advisory
from consent.importing import batches, reading
from consent.importing.batches import Tally
from consent.importing.reading import UnusableFile
from consent.importing.rules import Origin
from consent.models import ConsentImport

BATCH = 5_000
# A refused line takes about 100 bytes of the report, and two of the file: a packed file of 200 KB holds 50 million.
MAX_REFUSED = 100_000
_ATTEMPTS = 8
_ONE_AT_A_TIME = 0x696D706F  # "impo"
_PATIENCE_S = 5.0


@dataclass(frozen=True, kw_only=True)
class Order:
    """Parameters of an import."""

    path: Path
    system: str
    actor: str
    report: Path
    kind: str | None = None
    rehearsal: bool = False
    batch: int = BATCH
    max_refused: int = MAX_REFUSED


@dataclass
class Outcome:
    """Result for the file's lines, those of earlier runs among them."""

    imported: int = 0
    unproven: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    resumed_after: int = 0
    was_finished: bool = False

    def add(self, tally: Tally) -> None:
        self.imported += tally.imported
        self.unproven += tally.unproven
        self.refused.update(tally.refused)

    @property
    def lines(self) -> int:
        return self.imported + self.refused.total()


@dataclass(frozen=True)
class Progress:
    """Progress of a run: lines dealt with, and bytes read of the file as it lies on the disk."""

    lines: int
    read: int
    size: int


Watcher = Callable[[Progress], None]


def import_file(order: Order, watch: Watcher = lambda progress: None) -> Outcome:
    """Import a file or rehearse it. Safe to run again: each line is taken in once.

    Raises UnusableFile if the whole file cannot be read so, and OSError.
    """
    kind = reading.format_of(order.path, order.kind)
    with order.path.open("rb") as file, _alone():
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        origin = Origin(system=order.system, file_sha256=digest)
        run = _begin(order, origin)
        if run.is_finished:
            return _outcome(run, was_finished=True)
        file.seek(0)
        return _Run(order, origin, kind, run, watch).carry_out(file)


@contextmanager
def _alone() -> Iterator[None]:
    """Hold the import lock: a second import would wait for the first one's people again and again."""
    # The server may need a moment to notice that a run was killed.
    until = time.monotonic() + _PATIENCE_S
    while True:
        with advisory.held(_ONE_AT_A_TIME) as is_held:
            if is_held:
                yield
                return
        if time.monotonic() > until:
            raise UnusableFile("Another import is running; start this one when that has ended.")
        time.sleep(0.1)


def _begin(order: Order, origin: Origin) -> ConsentImport:
    """Return the file's import as the last run left it, or a new one; a rehearsal's is never saved."""
    known = ConsentImport.objects.filter(file_sha256=origin.file_sha256).first()
    if known is not None and known.system != order.system:
        raise UnusableFile(f"This file was imported as one of the system '{known.system}' already.")
    if order.rehearsal and known is None:
        return ConsentImport(file_sha256=origin.file_sha256, system=order.system, actor=order.actor)
    return known or _started(order, origin)


@transaction.atomic
def _started(order: Order, origin: Origin) -> ConsentImport:
    details = {"system": order.system, "file_sha256": origin.file_sha256}
    run = ConsentImport.objects.create(**details, actor=order.actor, report=_path(order))
    trail.record("consent_import.started", str(run.pk), actor=order.actor, details=details)
    return run


def _path(order: Order) -> str:
    """Return where the report lies, for the job that deletes it with age."""
    return str(order.report.resolve())


def _outcome(run: ConsentImport, *, was_finished: bool = False) -> Outcome:
    return Outcome(run.imported, run.unproven, Counter(run.refused), run.line, was_finished)


class _Run:
    """One run over a file, from where the last one ended."""

    def __init__(self, order: Order, origin: Origin, kind: str, run: ConsentImport, watch: Watcher) -> None:
        self._order, self._origin, self._kind, self._run, self._watch = order, origin, kind, run, watch
        self._outcome = _outcome(run)
        self._reported = self._reported_next = 0
        self._lines_before = self._outcome.lines

    def carry_out(self, file: IO[bytes]) -> Outcome:
        before = os.fstat(file.fileno())
        run, stream = self._run, reading.unpacked(self._order.path, file)
        lines = reading.lines(stream, self._kind, number=run.line, offset=run.offset)
        batches.prepare(rehearsal=self._order.rehearsal)
        with _opened_report(self._order.report, run.report_bytes) as report:
            self._reported = os.fstat(report.fileno()).st_size
            for batch in _ahead(lines, self._order.batch):
                now = os.fstat(file.fileno())
                if (now.st_size, now.st_mtime_ns) != (before.st_size, before.st_mtime_ns):
                    raise UnusableFile("The file was changed while it was read. Import the whole file again.")
                self._require_few_refused()
                self._one_batch(batch, report)
                self._watch(
                    Progress(
                        self._outcome.lines - self._lines_before,
                        os.lseek(file.fileno(), 0, os.SEEK_CUR),
                        before.st_size,
                    )
                )
        if not self._order.rehearsal:
            self._finish()
        return self._outcome

    def _require_few_refused(self) -> None:
        if self._outcome.refused.total() > self._order.max_refused:
            raise UnusableFile(
                f"More than {self._order.max_refused:,} lines were refused, so the rest was not read. Look into the "
                "report: columns or format may be wrong. What was taken in stays; a higher --max-refused goes on."
            )

    def _one_batch(self, batch: list[reading.Line], report: IO[bytes]) -> None:
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                with transaction.atomic():
                    tally = batches.take_in(batch, self._origin, rehearsal=self._order.rehearsal)
                    self._reported_next = self._report(tally, report)
                    self._move_on(batch[-1], tally)
                break
            except IntegrityError:
                if attempt == _ATTEMPTS:
                    raise
        self._reported = self._reported_next
        self._outcome.add(tally)

    def _report(self, tally: Tally, report: IO[bytes]) -> int:
        """Write what was refused after the last commit's place, before this one is committed; return its new end."""
        report.seek(self._reported)
        report.truncate()
        report.writelines(
            msgspec.json.encode({"line": number, "code": refused.code, "detail": refused.detail}) + b"\n"
            for number, refused in tally.refusals
        )
        report.flush()
        os.fsync(report.fileno())
        return report.tell()

    def _move_on(self, last: reading.Line, tally: Tally) -> None:
        if self._order.rehearsal:
            return
        ConsentImport.objects.filter(pk=self._run.pk).update(
            line=last.number,
            offset=last.end,
            report=_path(self._order),
            report_bytes=self._reported_next,
            imported=self._outcome.imported + tally.imported,
            unproven=self._outcome.unproven + tally.unproven,
            refused=self._outcome.refused + tally.refused,
        )

    @transaction.atomic
    def _finish(self) -> None:
        ConsentImport.objects.filter(pk=self._run.pk).update(finished_at=timezone.now())
        found = self._outcome
        details = {"imported": found.imported, "unproven": found.unproven, "refused": dict(found.refused)}
        trail.record("consent_import.finished", str(self._run.pk), actor=self._order.actor, details=details)


def _ahead(lines: Iterator[reading.Line], size: int) -> Iterator[list[reading.Line]]:
    """Read one batch while the one before it is with the database; never more than these two are held."""
    with ThreadPoolExecutor(max_workers=1) as reader:
        coming = reader.submit(_some, lines, size)
        while batch := coming.result():
            coming = reader.submit(_some, lines, size)
            yield batch


def _some(lines: Iterator[reading.Line], size: int) -> list[reading.Line]:
    return list(islice(lines, size))


@contextmanager
def _opened_report(path: Path, kept: int) -> Iterator[IO[bytes]]:
    """Open the report for its owner alone, cut to what belongs to lines dealt with (nothing, if it is gone)."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    with os.fdopen(descriptor, "r+b") as report:
        report.truncate(min(kept, os.fstat(descriptor).st_size))
        yield report
