"""The log files stay bounded."""

import os

from governance.launcher.processes import logs


def test_an_overgrown_log_is_kept_once_and_emptied_under_its_writer(tmp_path, monkeypatch):
    monkeypatch.setattr(logs, "MAX_LOG_BYTES", 10)
    path = tmp_path / "web.log"
    writer = logs.open_log(path)
    os.write(writer, b"a long first line\n")

    logs.bound(path)
    os.write(writer, b"next\n")
    os.close(writer)

    assert path.read_text() == "next\n"
    assert (tmp_path / "web.log.1").read_text() == "a long first line\n"


def test_a_small_log_is_left_alone(tmp_path):
    path = tmp_path / "web.log"
    path.write_text("line\n")

    logs.bound(path)

    assert path.read_text() == "line\n"
    assert not (tmp_path / "web.log.1").exists()


def test_the_tail_survives_binary_rubbish(tmp_path):
    path = tmp_path / "web.log"
    path.write_bytes(b"first\n\xff\xfe\nlast\n")

    assert logs.tail(path, lines=1) == "    last"
    assert "\ufffd" in logs.tail(path)


def test_no_log_has_no_tail(tmp_path):
    assert logs.tail(tmp_path / "web.log") == ""
