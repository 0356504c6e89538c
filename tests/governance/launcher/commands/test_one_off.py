"""One-off commands: which instance they are about, and that none of them makes one."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from governance.launcher import cli
from governance.launcher.home.home import open_home
from governance.launcher.servers import running

NEEDING_INSTANCE = [
    ["credentials", "create", "shop", "--scope", "decisions"],
    ["verify"],
    ["retention", "show"],
    ["policy", "list"],
    ["cells", "status"],
    ["registers", "lint"],
    ["import-consents", "file.csv"],
    ["export-consents"],
    ["manage", "check"],
]
HOLDER = """
import sys, time
from pathlib import Path
from governance.launcher.home.home import open_home
from governance.launcher.servers import running
from governance.launcher.processes.launcher_lock import claim
with claim(open_home(Path(sys.argv[sys.argv.index("--home") + 1])), port=8123, embedded=[]):
    print("holds", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def demo_home(tmp_path: Path) -> Iterator[Path]:
    """A home whose launcher runs, as `./assent demo --home demo` started in its folder."""
    words = [sys.executable, "-c", HOLDER, "governance.launcher", "demo", "--home", "demo"]
    environment = {"PYTHONPATH": str(cli.CHECKOUT)}
    process = subprocess.Popen(words, cwd=tmp_path, env=environment, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "holds\n"
        yield tmp_path / "demo"
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


@pytest.mark.parametrize("words", NEEDING_INSTANCE, ids=lambda words: words[0])
@pytest.mark.parametrize("external", [True, False])
def test_a_command_without_its_instance_is_refused(words, external, tmp_path, monkeypatch, capsys):
    monkeypatch.delenv("DATABASE_URL", raising=False)
    if external:
        monkeypatch.setenv("DATABASE_URL", "postgresql://nowhere.invalid/assent")

    status = cli.main(["--home", str(tmp_path / "h"), *words])

    said = capsys.readouterr().err
    assert status == 2
    assert f"There is no instance at {tmp_path / 'h'}, so nothing was done." in said
    assert not (tmp_path / "h").exists()


def test_the_refusal_names_the_instances_that_run(demo_home, tmp_path, capsys):
    status = cli.main(["--home", str(tmp_path / "h"), "credentials", "list"])

    assert status == 2
    assert f"--home {demo_home} (port 8123)" in capsys.readouterr().err


def test_another_instance_that_rests_is_named_with_those_that_run(demo_home, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("governance.launcher.one_off._run", lambda home, *_args, **_options: 0)
    open_home(tmp_path / "old")

    assert cli.main(["--home", str(tmp_path / "old"), "credentials", "list"]) == 0

    said = capsys.readouterr().err
    assert f"the instance at {tmp_path / 'old'}, which does not run" in said
    assert f"--home {demo_home} (port 8123)" in said


def test_the_running_instance_is_used_without_a_word(demo_home, monkeypatch, capsys):
    used = []
    monkeypatch.setattr(
        "governance.launcher.one_off._run", lambda home, *_args, **_options: used.append(home.path) or 0
    )

    assert cli.main(["--home", str(demo_home), "credentials", "list"]) == 0

    assert used == [demo_home]
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("words", [["credentials", "--help"], ["anonymise", "--help"], ["check-deployment", "--help"]])
def test_a_command_that_needs_no_instance_leaves_none(words, tmp_path, monkeypatch, capfd):
    for name in ("DATABASE_URL", "BROKER_URL", "OPA_URL"):
        monkeypatch.delenv(name, raising=False)
    assert cli.main(["--home", str(tmp_path / "h"), *words]) == 0

    assert "usage: " in capfd.readouterr().out
    assert not (tmp_path / "h").exists()


def test_printed_commands_name_the_home_unless_it_is_the_default(tmp_path):
    assert running.home_option(cli.CHECKOUT / ".assent") == ""
    assert running.home_option(tmp_path / "my demo") == f" --home '{tmp_path}/my demo'"
