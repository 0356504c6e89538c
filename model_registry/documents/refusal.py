"""Refusal of a document: the place and the way out, and nothing changed."""

from collections.abc import Sequence

from common.http.problems import Problem


class DocumentRefused(Problem):
    """Refusal of a document that cannot be read as what it is said to be; ``line`` counts from 1."""

    status = 422
    code = "document_refused"
    title = "The document cannot be taken in"

    def __init__(self, what: str, *, line: int | None = None, member: str = "") -> None:
        self.line, self.member = line, member
        place = ", ".join(filter(None, [f"line {line}" if line else "", member]))
        super().__init__(f"{place}: {what}" if place else what)


def path_of(parts: Sequence[str | int]) -> str:
    """Return a member's path as people write it: ``model-index[0].results[1].metrics``."""
    text = ""
    for part in parts:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else str(part)
    return text[:160]
