"""The snippets of README, first-hour and integrators do what they say, on a live instance (docs/README.md).

The blocks of a document run in their order, in one shell; Python blocks run in the environment of the tests.
``./assent`` is the launcher, bound to the instance of the test. One instance serves all documents.
"""

import os
import re
import shlex
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.docs.documents import DOCS, Block, blocks
from tests.helpers.paths import CHECKOUT
from tests.helpers.ports import claimed_port
from tests.helpers.processes import start_leashed

DOCUMENTS = [CHECKOUT / "README.md", DOCS / "first-hour.md", DOCS / "integrators.md"]
RUN = ("sh", "python", "console")
SHOWN = ("json", "yaml", "html", "javascript", "text")
HERE = "http://localhost:8000"
ANYTHING = "…"
_PATIENCE_S = 300


# --- the convention ---------------------------------------------------------------------------------


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_block_is_run_or_says_why_not(document: Path):
    for block in blocks(document):
        where = f"{document.name}:{block.line}"
        assert block.language in (*RUN, *SHOWN), f"{where}: '{block.language}' is no language of the convention"
        assert block.not_run_because is None or len(block.not_run_because) > 10, f"{where}: say why it is not run"
    assert [block for block in blocks(document) if block.language in RUN and block.not_run_because is None]


def test_expected_output_is_compared():
    expected = '{"state":"given",…}\nverified: …'
    assert fits(expected, '{"state":"given","n":1}\nverified: all\n')
    assert not fits(expected, '{"state":"refused","n":1}\nverified: all\n')
    assert not fits(expected, '{"state":"given","n":1}\n')


def test_console_blocks_are_read_command_by_command():
    text = "$ first \\\n>   -x\nsaid\n$ second\n"
    assert sessions(Block("console", text, 1, None)) == [Step("first \\\n  -x", 1, "said"), Step("second", 4, "")]


# --- what is run ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Step:
    """A piece of shell, the line it stands at, and the output it must have, if that is given."""

    shell: str
    line: int
    output: str | None = None


def sessions(block: Block) -> list[Step]:
    """The commands of a console block, each with the output below it."""
    steps: list[Step] = []
    for number, line in enumerate(block.text.splitlines()):
        if line.startswith("$ "):
            steps.append(Step(line[2:], block.line + number, ""))
        elif line.startswith("> "):
            steps[-1] = Step(f"{steps[-1].shell}\n{line[2:]}", steps[-1].line, "")
        else:
            last = steps[-1]
            steps[-1] = Step(last.shell, last.line, f"{last.output}\n{line}".strip("\n"))
    return steps


def steps_of(document: Path) -> list[Step]:
    steps: list[Step] = []
    for block in blocks(document):
        if block.not_run_because is not None or block.language not in RUN:
            continue
        if block.language == "console":
            steps += sessions(block)
        elif block.language == "python":
            steps.append(Step(f"python - <<'END_OF_SNIPPET'\n{block.text}END_OF_SNIPPET", block.line))
        else:
            steps.append(Step(block.text.rstrip("\n"), block.line))
    return steps


def fits(expected: str, said: str) -> bool:
    pattern = ".*".join(re.escape(part) for part in expected.strip().split(ANYTHING))
    return re.fullmatch(pattern, said.strip(), re.DOTALL) is not None


class Instance:
    """A live instance with the demonstration's shop."""

    def __init__(self, folder: Path, port: int) -> None:
        self.folder = folder
        self.url = f"http://localhost:{port}"
        own = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}
        clients = CHECKOUT / "clients" / "python" / "src"
        tools = f"{folder}{os.pathsep}{Path(sys.executable).parent}{os.pathsep}{own.get('PATH', os.defpath)}"
        self.environment = {**own, "PATH": tools, "PYTHONPATH": f"{CHECKOUT}{os.pathsep}{clients}"}
        own_options = ["--home", str(folder / "home"), "--port", str(port)]
        launcher = [sys.executable, "-m", "governance.launcher", *own_options]
        self.assent = folder / "assent"
        self.assent.write_text(f'#!/bin/sh\nexec {shlex.join(launcher)} "$@"\n')
        self.assent.chmod(0o755)

    def run(self, *arguments: str) -> None:
        command = [str(self.assent), *arguments]
        done = subprocess.run(
            command, cwd=self.folder, env=self.environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr

    def up(self) -> "subprocess.Popen[str]":
        with (self.folder / "launcher.log").open("w") as log:
            return start_leashed(
                [str(self.assent), "up"], cwd=self.folder, env=self.environment, stdout=log, stderr=log
            )

    def is_ready(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/health/ready", timeout=2) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    def perform(self, steps: list[Step]) -> list[str]:
        """Run the steps in one shell; return what each that ran has said. A step that fails ends the shell."""
        outputs = [self.folder / f"{number}.out" for number in range(len(steps))]
        for output in outputs:
            output.unlink(missing_ok=True)
        pieces = (
            f"{{\n{step.shell.replace(HERE, self.url)}\n}} > {shlex.quote(str(output))} 2>&1"
            for step, output in zip(steps, outputs, strict=True)
        )
        script = "set -eo pipefail\n" + "\n".join(pieces) + "\n"
        ended = subprocess.run(["bash"], input=script, text=True, cwd=self.folder, env=self.environment, check=False)
        said = [path.read_text().replace(self.url, HERE) for path in outputs if path.exists()]
        if ended.returncode:
            step = steps[max(len(said) - 1, 0)]
            pytest.fail(f"line {step.line}: status {ended.returncode} of\n{step.shell}\n{said[-1] if said else ''}")
        return said


@pytest.fixture(scope="module")
def instance(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Instance]:
    with claimed_port() as port:
        made = Instance(tmp_path_factory.mktemp("snippets"), port)
        launcher = made.up()
        try:
            _wait_until_ready(made)
            made.run("manage", "seed_demo")
            yield made
        finally:
            made.run("down")
            launcher.wait()


def _wait_until_ready(made: Instance) -> None:
    for _ in range(_PATIENCE_S * 10):
        if made.is_ready():
            return
        time.sleep(0.1)
    pytest.fail(f"The instance was not ready:\n{(made.folder / 'launcher.log').read_text()}")


@pytest.mark.acceptance
@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_snippets_do_what_they_say(instance: Instance, document: Path):
    steps = steps_of(document)
    said = instance.perform(steps)
    for step, output in zip(steps, said, strict=True):
        if step.output:
            assert fits(step.output, output), f"{document.name}:{step.line} said\n{output}instead of\n{step.output}"
