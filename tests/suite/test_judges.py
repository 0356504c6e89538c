"""Judges of the tests: run apart from our environment, and missed loudly."""

import json
import re
import runpy
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.helpers import judges, npm_judges
from tests.helpers.paths import CHECKOUT

LOCKS = CHECKOUT / "requirements" / "judges"
NAMES = sorted(path.stem for path in LOCKS.glob("*.in"))


NPM_NAMES = sorted(path.parent.name for path in LOCKS.glob("*/package.json"))
REMEMBERED = (judges._environment, npm_judges._installed)


@pytest.fixture(autouse=True)
def no_environment_is_remembered() -> Iterator[None]:
    for remembered in REMEMBERED:
        remembered.cache_clear()
    yield
    for remembered in REMEMBERED:
        remembered.cache_clear()


def _script(folder: Path, text: str) -> Path:
    script = folder / "script.py"
    script.write_text(text)
    return script


def test_a_judge_answers_a_question_in_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_KEY", "of the tests")
    script = _script(
        tmp_path,
        "import json, os, pathlib, sys\n"
        "asked = json.loads(pathlib.Path(sys.argv[1]).read_text())\n"
        "answer = {'twice': 2 * asked['number'], 'isolated': sys.flags.isolated, 'key': os.environ.get('SECRET_KEY')}\n"
        "pathlib.Path(sys.argv[2]).write_text(json.dumps(answer))\n",
    )

    answer = judges.Judge("oracle", sys.executable).run(script, {"number": 21})

    assert answer == {"twice": 42, "isolated": 1, "key": None}


@pytest.mark.parametrize("text", ["raise SystemExit('no such level')", "import no_such_level"])
def test_a_judge_that_fails_says_why(tmp_path: Path, text: str) -> None:
    with pytest.raises(judges.JudgeFailed, match=r"(?s)oracle, script.py, status 1: .*no.such.level"):
        judges.Judge("oracle", sys.executable).run(_script(tmp_path, text), {})


def test_a_judge_that_cannot_be_installed_is_missed_loudly(monkeypatch: pytest.MonkeyPatch) -> None:
    launcher = runpy.run_path(str(CHECKOUT / "assent"), run_name="assent")
    tried = []

    def refuse(folder: str, kind: str) -> None:
        tried.append((Path(folder).name, kind))
        raise launcher["NotMadeError"]("the package index cannot be reached")

    monkeypatch.setattr(judges.runpy, "run_path", lambda *_, **__: {**launcher, "ensure_environment": refuse})

    for _ in range(2):
        with pytest.raises(pytest.skip.Exception, match=r"NO JUDGE pycanon: .*NOT JUDGED.*cannot be reached"):
            judges.judge("pycanon")

    assert [kind for _, kind in tried] == ["judges/pycanon"]  # one attempt, not one for each test
    assert tried[0][0].startswith("judge-pycanon-")


def test_a_cache_that_cannot_be_written_is_a_reason_to_skip(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "cache").write_text("a file")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))

    with pytest.raises(pytest.skip.Exception, match="NO JUDGE pycanon"):
        judges.judge("pycanon")


def test_a_judge_without_a_lock_is_an_error() -> None:
    with pytest.raises(FileNotFoundError, match=r"judges/nonesuch\.txt"):
        judges.judge("nonesuch")


@pytest.mark.parametrize("name", NAMES)
def test_every_judge_is_locked_by_hashes_without_an_address(name: str) -> None:
    text = (LOCKS / f"{name}.txt").read_text()

    pins: list[Any] = re.findall(r"^[a-z0-9.-]+(?:\[[a-z,]+\])?==\S+.*?(?=^\S|\Z)", text, re.MULTILINE | re.DOTALL)
    assert pins
    assert all("--hash=sha256:" in pin for pin in pins)
    assert re.findall(r"^--|://", text, re.MULTILINE) == []


def test_there_are_no_locks_without_their_reason() -> None:
    assert NPM_NAMES == ["autoconsent"]
    assert sorted(path.parent.name for path in LOCKS.glob("*/package-lock.json")) == NPM_NAMES
    assert sorted(path.stem for path in LOCKS.glob("*.txt")) == NAMES
    assert "pycanon" in NAMES


def test_a_judge_of_npm_is_missed_loudly_without_npm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(npm_judges.shutil, "which", lambda _name: None)

    with pytest.raises(pytest.skip.Exception, match=r"NO JUDGE autoconsent: .*NOT JUDGED.*npm is not on the PATH"):
        npm_judges.npm_judge("autoconsent")


def test_a_judge_of_npm_that_cannot_be_installed_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "npm"
    program.write_text("#!/bin/sh\necho the registry cannot be reached >&2\nexit 1\n")
    program.chmod(0o755)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")

    with pytest.raises(pytest.skip.Exception, match=r"NO JUDGE autoconsent: .*the registry cannot be reached"):
        npm_judges.npm_judge("autoconsent")


@pytest.mark.parametrize("name", NPM_NAMES)
def test_every_judge_of_npm_is_locked_without_an_address(name: str) -> None:
    text = (LOCKS / name / "package-lock.json").read_text()

    locked = [entry for path, entry in json.loads(text)["packages"].items() if path]
    assert locked
    assert all(entry["integrity"].startswith("sha512-") for entry in locked)
    assert "resolved" not in text
    assert "://" not in text
