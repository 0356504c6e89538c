"""The rules of a ``.dockerignore``: which files a build sends as its context.

As the builders read them: the last pattern that matches a path or a folder above it decides, ``!`` takes it in again,
``*`` stays within a name and ``**`` goes across folders. Patterns start at the root of the context.
"""

import re
from pathlib import Path


def is_sent(path: str, rules: Path) -> bool:
    """Say whether the file at ``path``, relative to the context, is part of it."""
    sent = True
    for line in rules.read_text(encoding="utf-8").splitlines():
        pattern = line.strip()
        if pattern and not pattern.startswith("#") and _matches(pattern.removeprefix("!"), path):
            sent = pattern.startswith("!")
    return sent


def _matches(pattern: str, path: str) -> bool:
    parts = path.split("/")
    candidates = ("/".join(parts[: end + 1]) for end in range(len(parts)))
    expression = re.compile(_expression(pattern.strip("/")))
    return any(expression.fullmatch(candidate) for candidate in candidates)


def _expression(pattern: str) -> str:
    tokens = re.split(r"(\*\*/|\*\*|\*|\?)", pattern)
    wild = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    return "".join(wild.get(token, re.escape(token)) for token in tokens)
