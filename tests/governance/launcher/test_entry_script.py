"""The ``assent`` script: readable for old Pythons, careful with environments and addresses."""

import ast
import os
import runpy
import subprocess
import sys
from pathlib import Path

import pytest

from governance.launcher import cli
from tests.helpers.paths import CHECKOUT

SCRIPT = CHECKOUT / "assent"


@pytest.fixture
def script(tmp_path, monkeypatch):
    functions = runpy.run_path(str(SCRIPT), run_name="assent")
    namespace = functions["main"].__globals__
    (tmp_path / "requirements").mkdir()
    for kind in ("base", "dev"):
        (tmp_path / "requirements" / f"{kind}.txt").write_text(f"# {kind}\n")
    monkeypatch.setitem(namespace, "CHECKOUT", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return namespace


def complete_environment(script, folder: Path, kind: str) -> None:
    (folder / "bin").mkdir(parents=True)
    (folder / "bin" / "python").symlink_to(sys.executable)
    (folder / script["MARK"]).write_text("")
    (folder / script["STAMP"]).write_text(script["stamp_text"](str(folder), kind))


def test_old_pythons_can_read_it():
    ast.parse(SCRIPT.read_text(), feature_version=(3, 6))
    assert os.access(SCRIPT, os.X_OK)


def test_every_command_with_packages_gets_the_environment(script):
    without = {"down", "status", "decode-signal", "help"}

    assert {*cli._OWN, *cli._ONE_OFF} - without == set(script["NEEDING_ENVIRONMENT"])


def test_an_old_python_without_a_newer_one_says_so(script, monkeypatch, capsys, tmp_path):
    monkeypatch.setattr(sys, "version_info", (3, 8, 18))
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(SystemExit) as caught:
        script["require_python"]([])

    assert caught.value.code == 2
    assert "Python 3.11 or newer is needed and this is 3.8" in capsys.readouterr().err


def test_a_complete_environment_is_taken_as_it_is(script, tmp_path):
    complete_environment(script, tmp_path / ".venv", "base")

    assert script["environment_folder"]() == str(tmp_path / ".venv")
    assert script["is_complete"](str(tmp_path / ".venv"), "base")


def test_a_development_environment_serves_every_command(script, tmp_path):
    complete_environment(script, tmp_path / ".venv", "dev")

    assert script["is_complete"](str(tmp_path / ".venv"), "base")


def test_a_base_environment_does_not_serve_the_tests(script, tmp_path):
    complete_environment(script, tmp_path / ".venv", "base")

    assert not script["is_complete"](str(tmp_path / ".venv"), "dev")


def test_an_environment_serves_a_judge_only_by_its_own_lock(script, tmp_path):
    (tmp_path / "requirements" / "judges").mkdir()
    (tmp_path / "requirements" / "judges" / "oracle.txt").write_text("oracle==1\n")
    complete_environment(script, tmp_path / "dev", "dev")
    complete_environment(script, tmp_path / "judge", "judges/oracle")

    assert not script["is_complete"](str(tmp_path / "dev"), "judges/oracle")
    assert script["is_complete"](str(tmp_path / "judge"), "judges/oracle")
    assert not script["is_complete"](str(tmp_path / "judge"), "base")


def test_a_changed_lock_makes_the_environment_incomplete(script, tmp_path):
    complete_environment(script, tmp_path / ".venv", "base")
    (tmp_path / "requirements" / "base.txt").write_text("django==99\n")

    assert not script["is_complete"](str(tmp_path / ".venv"), "base")


def test_an_environment_whose_python_is_gone_is_incomplete(script, tmp_path):
    complete_environment(script, tmp_path / ".venv", "base")
    (tmp_path / ".venv" / "bin" / "python").unlink()

    assert not script["is_complete"](str(tmp_path / ".venv"), "base")


def test_a_half_made_environment_is_incomplete(script, tmp_path):
    complete_environment(script, tmp_path / ".venv", "base")
    (tmp_path / ".venv" / script["STAMP"]).unlink()

    assert not script["is_complete"](str(tmp_path / ".venv"), "base")
    assert script["environment_folder"]() == str(tmp_path / ".venv")


def test_somebody_elses_environment_is_left_alone(script, tmp_path):
    (tmp_path / ".venv").mkdir()

    assert script["environment_folder"]().startswith(str(tmp_path / "cache" / "assent" / "env-"))


@pytest.mark.parametrize(
    ("words", "command"),
    [
        ([], "help"),
        (["up"], "up"),
        (["--home", "test", "up"], "up"),
        (["--home=x", "--port=1", "test", "-k", "up"], "test"),
    ],
)
def test_the_command_is_found_behind_the_options(script, words, command):
    assert script["chosen_command"](words) == command


def test_only_the_block_of_one_package_is_taken_from_the_lock(script, tmp_path):
    wanted = "uv==0.1 \\\n    --hash=sha256:11 \\\n    --hash=sha256:22\n"
    lock = f"uuid==1 \\\n    --hash=sha256:00\n{wanted}vine==2 \\\n    --hash=sha256:33\n"
    (tmp_path / "requirements" / "base.txt").write_text(lock)

    assert script["locked"]("uv") == wanted


def test_addresses_of_mirrors_are_not_shown(script, monkeypatch):
    monkeypatch.setenv("PIP_INDEX_URL", "https://me:s3cret@mirror.internal/simple")
    output = "Looking in https://me:s3cret@mirror.internal/simple, then https://you:hidden@other/x"

    assert script["without_addresses"](output) == "Looking in $PIP_INDEX_URL, then https://other/x"


def test_a_mirror_set_up_for_pip_is_handed_to_uv(script, monkeypatch):
    monkeypatch.setenv("PIP_INDEX_URL", "https://mirror.example.org/simple")
    monkeypatch.setenv("PIP_FIND_LINKS", "/wheels /more")
    monkeypatch.setenv("UV_FIND_LINKS", "/own")

    found = script["uv_environment"]()

    assert found["UV_DEFAULT_INDEX"] == "https://mirror.example.org/simple"
    assert found["UV_FIND_LINKS"] == "/own"


def test_a_failed_step_tells_the_end_of_the_output_and_a_way_out(script):
    command = [sys.executable, "-c", "print('a reason'); raise SystemExit(3)"]

    with pytest.raises(script["NotMadeError"], match=r"(?s)failed; .*a reason.*mirror"):
        script["step"]("trying", command)


def test_help_needs_no_environment(tmp_path):
    answer = subprocess.run([sys.executable, str(SCRIPT)], capture_output=True, text=True, check=True, cwd=tmp_path)

    assert answer.stdout.startswith("usage: ./assent")
    assert answer.stderr == ""
