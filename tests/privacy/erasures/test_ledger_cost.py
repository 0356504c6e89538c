"""The erasure ledger at size: a write reads its end alone, and reading it keeps one line in memory."""

import json
import tracemalloc
from pathlib import Path

import pytest

from common.canonical import digest_of
from privacy.erasures import ledger

SMALL, LARGE = 200, 20_000
COST_AT_MOST = 100_000  # bytes: two ends of two files, each looked at once more for an unfinished line


@pytest.fixture(autouse=True)
def home(settings, tmp_path):
    settings.ASSENT_HOME = tmp_path
    settings.ERASURE_LEDGER_COPY = tmp_path / "elsewhere" / "ledger.jsonl"


def _of(lines):
    """Write both files with so many lines, as long as a withdrawal's."""
    previous, texts = "0" * 64, []
    for number in range(1, lines + 1):
        line = {"seq": number, "at": "2026-01-01T00:00:00+00:00", "kind": "withdrawal", "who": f"{number:064x}"}
        line |= {"purpose": "recommendations", "record_digest": "0" * 64, "previous": previous}
        previous = digest_of(line).hex()
        texts.append(json.dumps({**line, "digest": previous}))
    for file in (ledger.path(), ledger.copy_path()):
        file.parent.mkdir(exist_ok=True)
        file.write_text("\n".join(texts) + "\n")


def _bytes_read():
    return int(Path("/proc/self/io").read_text().partition("rchar: ")[2].split()[0])


@pytest.mark.parametrize("lines", [SMALL, LARGE])
def test_a_write_reads_the_same_at_any_size(lines):
    _of(lines)
    size, before = ledger.path().stat().st_size, _bytes_read()

    ledger.append([{"kind": "begun"}])

    assert _bytes_read() - before <= COST_AT_MOST
    assert lines == SMALL or size > 50 * COST_AT_MOST  # which one reading of all would show
    assert ledger.last()["seq"] == lines + 1
    assert [line["kind"] for line in ledger.lines()][-1] == "begun"  # and the chain holds


def test_reading_keeps_one_line_in_memory():
    _of(LARGE)
    tracemalloc.start()
    try:
        count = sum(1 for _ in ledger.lines())
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()

    assert count == LARGE
    assert peak < 1_000_000


def test_every_line_is_on_disk_before_the_write_returns(monkeypatch):
    synced = []

    def note(descriptor):
        synced.append(Path(f"/proc/self/fd/{descriptor}").readlink())

    monkeypatch.setattr(ledger.os, "fsync", note)

    ledger.append([{"kind": "begun"}])

    assert synced[:2] == [ledger.path(), ledger.copy_path()]


def test_a_shorter_copy_is_caught_up_by_the_whole():
    _of(SMALL)
    texts = ledger.copy_path().read_text().splitlines(keepends=True)
    ledger.copy_path().write_text("".join(texts[:50]))

    ledger.append([{"kind": "begun"}])

    assert ledger.copy_path().read_text() == ledger.path().read_text()
    assert ledger.last()["seq"] == SMALL + 1


def test_a_broken_end_is_refused_and_nothing_is_added():
    _of(SMALL)
    texts = ledger.path().read_text().splitlines(keepends=True)
    for file in (ledger.path(), ledger.copy_path()):
        file.write_text("".join([*texts[:-1], texts[-1].replace("recommendations", "newsletter")]))

    with pytest.raises(ledger.LedgerBroken, match=f"Line {SMALL}"):
        ledger.append([{"kind": "begun"}])

    assert len(ledger.path().read_text().splitlines()) == SMALL
