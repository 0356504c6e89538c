"""Reading a day out takes the memory of a page, however large the day is."""

import tracemalloc
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from django.utils import timezone

from consent.pseudonyms import subject_ref
from policies.decision_log.ageing import checkpoints, days, reading_out
from tests.helpers.aged_log import line, store

pytestmark = pytest.mark.django_db
_PAGE, _FEW, _MANY = 50, 4, 40


def _store(spool: Path, moment: datetime, batches: int) -> None:
    person = subject_ref("customer-1")
    for _ in range(batches):
        store(spool, *(line(moment, person) for _ in range(_PAGE)), at=moment)


def _peak(day: days.Day, folder: Path) -> int:
    gone = checkpoints.dropped()
    tracemalloc.start()
    try:
        reading_out.read_out(day, gone, folder=folder, progress=lambda _rows: None)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_memory_does_not_grow_with_the_day(own_spool: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading_out, "ROWS_OF_A_PAGE", _PAGE)
    now = timezone.now() - timedelta(days=2)
    _store(own_spool, now, _FEW)
    _store(own_spool, now - timedelta(days=1), _MANY)
    small, large = sorted(days.stored(), key=lambda day: day.date, reverse=True)
    _peak(small, tmp_path)  # imports and caches

    few, many = _peak(small, tmp_path), _peak(large, tmp_path)

    assert many < 1.5 * few
