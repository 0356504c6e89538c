"""Documents of the repository as tests read them: tables, links, mentioned paths, fenced blocks."""

import re
import subprocess
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from tests.helpers.paths import CHECKOUT

DOCS = CHECKOUT / "docs"
_CELL = re.compile(r"(?<!\\)\|")
_CODE = re.compile(r"`([^`]+)`")
_FENCE = re.compile(r"^(?P<indent> *)```(?P<language>[a-z]*)\n(?P<text>.*?)^(?P=indent)```$", re.MULTILINE | re.DOTALL)
_SKIP = re.compile(r"<!-- not run: (?P<why>.+?) -->\n\s*$", re.DOTALL)


@dataclass(frozen=True)
class Block:
    """A fenced block: its language, its text, the line it begins at, and why it is not run, if it is not."""

    language: str
    text: str
    line: int
    not_run_because: str | None


@cache
def tracked(pattern: str = "*") -> tuple[Path, ...]:
    """Every file git knows that fits the pattern."""
    command = ["git", "ls-files", "--", pattern]
    listed = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, check=True)
    return tuple(CHECKOUT / line for line in listed.stdout.splitlines() if (CHECKOUT / line).exists())


def markdown() -> tuple[Path, ...]:
    return tracked("*.md")


def section(document: Path, title: str) -> str:
    """The text below a heading, up to the next heading of the same rank or above."""
    rank, _, rest = document.read_text(encoding="utf-8").partition(f" {title}\n")
    marks = re.search(r"#+$", rank)
    assert marks is not None, f"{document.name} has no section '{title}'"
    return re.split(rf"^#{{1,{len(marks[0])}}} ", rest, maxsplit=1, flags=re.MULTILINE)[0]


def rows(text: str) -> list[list[str]]:
    """The cells of every table row, heads and rules left out."""
    lines = [line for line in text.splitlines() if line.startswith("|")]
    cells = [[cell.strip().replace("\\|", "|") for cell in _CELL.split(line)[1:-1]] for line in lines]
    rules = {number for number, row in enumerate(cells) if all(set(cell) <= set("-: ") and cell for cell in row)}
    return [row for number, row in enumerate(cells) if number not in rules and number + 1 not in rules]


def codes(text: str) -> list[str]:
    """What stands in code quotes."""
    return _CODE.findall(text)


def blocks(document: Path) -> list[Block]:
    text = document.read_text(encoding="utf-8")
    found = []
    for fence in _FENCE.finditer(text):
        before = text[: fence.start()]
        skip = _SKIP.search(before)
        why = skip["why"] if skip else None
        found.append(Block(fence["language"], fence["text"], before.count("\n") + 1, why))
    return found
