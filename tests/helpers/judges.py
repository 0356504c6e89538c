"""Judges: libraries of others that measure our results by themselves, each in a locked environment of its own.

``requirements/judges/NAME.txt`` locks an environment. It is made on the first use, with the launcher's own means, and
kept in the user's cache. No judge is imported here: a script run by its Python reads a JSON file and writes another.
"""

import functools
import hashlib
import json
import os
import runpy
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from governance.launcher.test_tools import cache_folder
from tests.helpers.paths import CHECKOUT


class JudgeFailed(Exception):
    """The judge's script ended with an error; the text holds the end of what it printed."""


@dataclass(frozen=True)
class Judge:
    """A judge whose environment is there; ``python`` runs in it."""

    name: str
    python: str

    def run(self, script: Path, question: Any) -> Any:
        """Run ``script QUESTION ANSWER``, two JSON files, apart from the tests' environment; return the answer."""
        with tempfile.TemporaryDirectory(prefix="assent-judge-") as folder:
            asked, answered = Path(folder, "question.json"), Path(folder, "answer.json")
            asked.write_text(json.dumps(question))
            done = subprocess.run(
                [self.python, "-I", str(script), str(asked), str(answered)],
                cwd=folder,
                env={"PATH": os.environ["PATH"], "HOME": folder},
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                check=False,
            )
            if done.returncode != 0:
                raise JudgeFailed(f"{self.name}, {script.name}, status {done.returncode}: {done.stderr[-2000:]}")
            return json.loads(answered.read_text())


def judge(name: str, *, lock: str | None = None) -> Judge:
    """Return the judge, its environment made if need be; where that cannot be made, skip the test loudly.

    ``lock``: the file in ``requirements`` that locks it, where it is none of judges alone.
    """
    lock = lock or f"judges/{name}"
    python, hindrance = _environment(name, lock)
    if python is None:
        pytest.skip(
            f"NO JUDGE {name}: the result was NOT JUDGED. It needs the packages of requirements/{lock}.txt "
            f"from a package index: {hindrance}"
        )
    return Judge(name, python)


@functools.cache
def _environment(name: str, lock: str) -> tuple[str | None, str]:
    """Return the environment's Python, or None and why it cannot be made."""
    locked = (CHECKOUT / "requirements" / f"{lock}.txt").read_bytes()
    digest = hashlib.sha256(locked + sys.version.encode()).hexdigest()[:12]
    folder = str(cache_folder(f"judge-{name}-{digest}"))
    launcher = runpy.run_path(str(CHECKOUT / "assent"), run_name="assent")
    try:
        launcher["ensure_environment"](folder, lock)
    except (launcher["NotMadeError"], OSError) as exc:
        return None, str(exc)
    return launcher["interpreter"](folder), ""
