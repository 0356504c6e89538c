"""Output of the story, and the record of whether every step came out as it must."""

import sys
from collections.abc import Iterable, Mapping, Sequence
from itertools import zip_longest
from typing import Any, TextIO


class Narrator:
    """Narrator that numbers the steps and checks what they claim."""

    def __init__(self, out: TextIO | None = None, *, steps_before: int = 0) -> None:
        self._out = out or sys.stdout
        self._colours = self._out.isatty()
        self._step = steps_before
        self.failures: list[str] = []

    def step(self, title: str) -> None:
        self._step += 1
        self._line("")
        self._line(self._style("1", f"{self._step}. {title}"))

    def asks(self, text: str) -> None:
        self._line(f"   asks      {text}")

    def says(self, name: str, text: object) -> None:
        self._line(f"   {name:9} {text}")

    def answer(self, document: dict[str, Any]) -> None:
        """Show a recommendation or a decision: level, reasons, items."""
        context = document.get("context", document)
        if "decision" in document:
            self.says("decision", "permit" if document["decision"] else "deny")
        self.says("level", context.get("level", "-"))
        codes = [f"{reason['code']}" for reason in context.get("reasons", [])]
        self.says("reasons", ", ".join(codes) or "none needed")
        for item in document.get("items", [])[:3]:
            self.says("", f"· {item['title']} - {item['why']}")

    def side_by_side(self, columns: Mapping[str, Sequence[str]], *, width: int = 21) -> None:
        """Show lists next to each other, each under its heading; a text that is too long is cut."""
        rows = [list(columns), *zip_longest(*columns.values(), fillvalue="")]
        for row in rows:
            cells = (text if len(text) < width else f"{text[: width - 2]}…" for text in row)
            self._line("   " + "".join(f"{cell:{width}}" for cell in cells).rstrip())

    def must(self, claim: str, holds: bool) -> None:
        if holds:
            self._line(f"   {self._style('32', '✓')} {claim}")
        else:
            self.failures.append(f"step {self._step}: {claim}")
            self._line(f"   {self._style('31', '✗ NOT SO:')} {claim}")

    def end(self, lines: Iterable[tuple[str, str]]) -> None:
        self._line("")
        for name, text in lines:
            self._line(f"   {self._style('1', f'{name:18}')} {text}")

    def _style(self, code: str, text: str) -> str:
        return f"\x1b[{code}m{text}\x1b[0m" if self._colours else text

    def _line(self, text: str) -> None:
        self._out.write(text + "\n")
        self._out.flush()
