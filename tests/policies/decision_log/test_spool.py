"""A decision is answered only once its line is written in full; a line that is not leaves no trace."""

import errno
import fcntl
import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from policies.decision_log import spool as spool_module
from policies.decision_log.spool import Spool, SpoolFull
from tests.helpers.paths import CHECKOUT
from tests.helpers.wsgi_calls import assert_problem, call, question

LINE = b'{"id": "x"}\n'


def _lines(folder: Path) -> list[bytes]:
    return [line for path in sorted(folder.glob("*.spool")) for line in path.read_bytes().splitlines(keepends=True)]


def test_the_line_is_written_before_the_answer_leaves(shop_token: str, own_spool: Path) -> None:
    answer = call(question(), shop_token)

    (line,) = _lines(own_spool)
    assert json.loads(line)["id"] == answer.json()["context"]["decision_id"]


def _out_of_space(_descriptor: int, _line: bytes) -> int:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def _half(write: Callable[[int, bytes], int]) -> Callable[[int, bytes], int]:
    return lambda descriptor, line: write(descriptor, line[: len(line) // 2])


FULL_DISKS: dict[str, Callable[[Callable[[int, bytes], int]], Callable[[int, bytes], int]]] = {
    "no space": lambda _write: _out_of_space,
    "space for half a line": _half,
    "nothing written": lambda _write: lambda _descriptor, _line: 0,
}


@pytest.mark.parametrize("full", FULL_DISKS.values(), ids=FULL_DISKS)
def test_on_a_full_disk_nothing_is_answered_and_no_line_is_torn(
    shop_token: str, own_spool: Path, monkeypatch: pytest.MonkeyPatch, full: Any
) -> None:
    assert call(question(), shop_token).status == 200

    with monkeypatch.context() as disk:
        disk.setattr(os, "write", full(os.write))
        refused = call(question(), shop_token)

    assert_problem(refused, 503, "log_unavailable")
    assert len(_lines(own_spool)) == 1
    assert call(question(), shop_token).status == 200
    assert [line[-1:] for line in _lines(own_spool)] == [b"\n", b"\n"]
    assert all(json.loads(line) for line in _lines(own_spool))


def test_a_folder_that_cannot_be_written_refuses_until_it_can(own_spool: Path, shop_token: str) -> None:
    blocked = own_spool
    blocked.parent.mkdir()
    blocked.write_text("a file where the folder belongs")

    assert_problem(call(question(), shop_token), 503, "log_unavailable")

    blocked.unlink()
    assert call(question(), shop_token).status == 200


def test_recommendations_are_not_served_unlogged(shop_token: str, monkeypatch: pytest.MonkeyPatch) -> None:
    body = {"subject": {"id": "customer-1"}}
    assert call(body, shop_token, path="/api/v1/recommendations").status == 200

    monkeypatch.setattr(os, "write", _out_of_space)

    assert_problem(call(body, shop_token, path="/api/v1/recommendations"), 503, "log_unavailable")


def test_threads_share_one_file_and_tear_no_line(tmp_path: Path) -> None:
    spool = Spool(tmp_path)

    def write(number: int) -> None:
        for count in range(50):
            spool.append(json.dumps({"thread": number, "count": count, "padding": "x" * 500}).encode() + b"\n")

    threads = [threading.Thread(target=write, args=[number]) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    (path,) = tmp_path.glob("*.spool")
    written = [json.loads(line) for line in path.read_bytes().splitlines()]
    assert len(written) == 200
    for number in range(4):
        assert [entry["count"] for entry in written if entry["thread"] == number] == list(range(50))


def test_a_forked_process_writes_a_file_of_its_own(tmp_path: Path) -> None:
    program = f"""
import os
from pathlib import Path
from policies.decision_log.spool import Spool
spool = Spool(Path({str(tmp_path)!r}))
spool.append(b"parent\\n")
child = os.fork()
spool.append(b"child\\n" if child == 0 else b"parent\\n")
if child:
    os.waitpid(child, 0)
"""
    subprocess.run([sys.executable, "-c", program], check=True, cwd=CHECKOUT)

    contents = sorted(path.read_bytes() for path in tmp_path.glob("*.spool"))
    assert contents == [b"child\n", b"parent\nparent\n"]


def test_a_full_segment_is_followed_by_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spool_module, "_SEGMENT_BYTES", 3 * len(LINE))
    spool = Spool(tmp_path)

    for _ in range(10):
        spool.append(LINE)

    assert len(_lines(tmp_path)) == 10
    sizes = [path.stat().st_size for path in tmp_path.glob("*.spool")]
    assert len(sizes) == 3
    assert max(sizes) == 4 * len(LINE)


def test_a_file_that_was_removed_before_it_was_locked_is_not_written_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The drainer may see a new file before its writer holds the lock, and take it for a dead process's."""
    flock, removed = fcntl.flock, []

    def too_late(descriptor: int, operation: int) -> None:
        if not removed:
            (path,) = tmp_path.glob("*.spool")
            path.unlink()
            removed.append(path)
        flock(descriptor, operation)

    monkeypatch.setattr(fcntl, "flock", too_late)

    Spool(tmp_path).append(LINE)

    assert removed
    assert _lines(tmp_path) == [LINE]


def test_spools_are_readable_by_nobody_else(tmp_path: Path) -> None:
    folder = tmp_path / "spool"

    Spool(folder).append(LINE)

    (path,) = folder.glob("*.spool")
    assert (folder.stat().st_mode & 0o777, path.stat().st_mode & 0o777) == (0o700, 0o600)


def test_a_closed_spool_opens_again(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    spool.append(LINE)
    spool.close()

    spool.append(LINE)

    assert len(list(tmp_path.glob("*.spool"))) == 2


def test_a_line_that_cannot_be_taken_back_is_not_answered_either(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spool = Spool(tmp_path)
    spool.append(LINE)

    def refuse(_descriptor: int, _size: int) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    with monkeypatch.context() as disk:
        disk.setattr(os, "write", _half(os.write))
        disk.setattr(os, "ftruncate", refuse)
        with pytest.raises(SpoolFull):
            spool.append(LINE)

    spool.append(LINE)
    assert _lines(tmp_path).count(LINE) == 2


def _removed(path: Path) -> None:
    path.unlink()


def _moved_away(path: Path) -> None:
    path.rename(path.parent.parent / "elsewhere")


@pytest.mark.parametrize("remove", [_removed, _moved_away])
def test_a_spool_that_is_removed_is_put_back_with_its_lines(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, remove: Callable[[Path], None]
) -> None:
    monkeypatch.setattr(spool_module, "_LOOK_S", 0.0)
    spool = Spool(tmp_path / "spool")
    spool.append(LINE)
    (path,) = (tmp_path / "spool").glob("*.spool")

    remove(path)
    spool.append(LINE)

    assert list((tmp_path / "spool").iterdir()) == [path]  # the name stands for the position the drainer has
    assert path.read_bytes() == LINE * 2
    with path.open("rb") as other, pytest.raises(BlockingIOError):
        fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)


def test_a_spool_that_is_removed_is_put_back_when_it_is_closed(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    for _ in range(3):
        spool.append(LINE)
    (path,) = tmp_path.glob("*.spool")

    path.unlink()
    spool.close()

    assert path.read_bytes() == LINE * 3


def test_a_spool_that_cannot_be_put_back_ends_readiness(
    shop_token: str, own_spool: Path, monkeypatch: pytest.MonkeyPatch, client: Any
) -> None:
    monkeypatch.setattr(spool_module, "_LOOK_S", 0.0)
    call(question(), shop_token)
    assert client.get("/health/ready").status_code == 200
    (path,) = own_spool.glob("*.spool")
    path.unlink()
    path.write_bytes(b"")  # another file has the name: which lines of it were copied is unknown

    assert call(question(), shop_token).status == 200

    answer = client.get("/health/ready")
    assert (answer.status_code, answer.json()["missing"]) == (503, ["decisions were lost with a removed spool"])
    (own_spool / spool_module.LOST).unlink()
    assert client.get("/health/ready").status_code == 200
