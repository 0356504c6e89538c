"""The measure of private words in docstrings: ``.ci/words``."""

import runpy
import subprocess
import sys
from pathlib import Path

import pytest

from tests.helpers.paths import CHECKOUT

SCRIPT = CHECKOUT / ".ci" / "words"
SOURCE = '''"""Record what we were told.

Nobody reads this; untold and told_of are other words.
"""

TEXT = "told"  # nobody counts this


class Door:
    """Plain."""

    async def tells(self):
        """Return it, WHATEVER it is."""
        return """told"""
'''


def measured(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    subprocess.run(["git", "init", "-q"], cwd=folder, check=True)
    subprocess.run(["git", "add", "-A"], cwd=folder, check=True)
    command = [sys.executable, str(SCRIPT), *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def test_docstring_words_alone_are_counted():
    words, hits = runpy.run_path(str(SCRIPT))["count"](SOURCE)
    assert words == 20
    assert hits == [(1, "told"), (3, "Nobody"), (13, "WHATEVER")]


@pytest.mark.parametrize(
    ("path", "counted"),
    [
        ("policies/apps.py", True),
        ("assent", True),
        ("README.md", False),
        (".ci/run", False),
        ("tests/conftest.py", False),
        ("policies/migrations/0001_initial.py", False),
    ],
)
def test_files_whose_docstrings_count(path, counted, monkeypatch):
    monkeypatch.chdir(CHECKOUT)
    assert runpy.run_path(str(SCRIPT))["is_counted"](Path(path)) is counted


def test_private_docstring_words_are_refused_by_place(tmp_path):
    (tmp_path / "module.py").write_text(SOURCE)
    done = measured(tmp_path)
    assert done.returncode == 1
    assert "module.py:3: Nobody" in done.stdout


def test_plain_docstring_words_pass(tmp_path):
    (tmp_path / "module.py").write_text('"""Read one row."""\n\nTEXT = "told"\n')
    done = measured(tmp_path, "--list")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("3 words in docstrings, 0 private")
