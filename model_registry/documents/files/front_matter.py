"""YAML metadata of a README written anew, with comments, quotes and order of what did not change.

Lines of a member stay as they are where its value is still the same, and where a reader of YAML 1.1 reads that value
in them; so ``language: no`` gets its quotes. Metadata of more than 64 KiB are written all new: it takes a tenth of the
time.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import zip_longest
from typing import Any

import yaml

from model_registry.documents.reading import read_yaml, written_yaml
from model_registry.documents.refusal import DocumentRefused

_MAX_SIZE = 64 * 1024
_REMARK = re.compile(r"\s*(#.*)?\Z")


def lines_of(block: str, metadata: Mapping[str, Any]) -> list[str]:
    """Return the lines of a block that was read, as they are written where nothing changes; none of a large one."""
    lines = block.splitlines(keepends=True)
    return rebuilt(lines, metadata).splitlines(keepends=True) if len(block) <= _MAX_SIZE else []


def rebuilt(lines: Sequence[str], metadata: Mapping[str, Any]) -> str:
    """Return the block that says ``metadata``, out of the lines of the one that was read; all new where they differ."""
    text = _with_lines(lines, metadata)
    if text is None:
        return written_yaml(dict(metadata)) if metadata else ""
    return text


def _with_lines(lines: Sequence[str], metadata: Mapping[str, Any]) -> str | None:
    """Return the block with the lines that can stay; None where they cannot be separated."""
    try:
        text = "".join(_parts(lines, read_yaml("".join(lines)).value or {}, dict(metadata)))
        return text if _is_same(read_yaml(text).value or {}, metadata) else None
    except DocumentRefused:
        return None


def _parts(lines: Sequence[str], before: Mapping[str, Any], metadata: dict[str, Any]) -> Iterator[str]:
    starts = _starts("".join(lines))
    names = list(starts)
    yield from lines[: starts[names[0]]] if names else lines
    for name, following in zip_longest(names, names[1:]):
        end = starts[following] if following is not None else len(lines)
        own = _end_of(lines, starts[name], end)
        if name in metadata:
            text = "".join(lines[starts[name] : own])
            is_kept = _is_same(before[name], metadata[name]) and _reads_as(text, name, metadata[name])
            yield text if is_kept else written_yaml({name: metadata[name]})
        yield from lines[own:end]
    added = {name: value for name, value in metadata.items() if name not in starts}
    yield written_yaml(added) if added else ""


def _starts(block: str) -> dict[str, int]:
    """Return the line of each member on top; none where they do not begin lines, as in ``{a: 1}``."""
    node = yaml.compose(block, yaml.SafeLoader)
    if not isinstance(node, yaml.MappingNode) or node.flow_style:
        return {}
    marks = {key.value: key.start_mark for key, _value in node.value}
    return {name: mark.line for name, mark in marks.items() if mark.column == 0}


def _end_of(lines: Sequence[str], start: int, end: int) -> int:
    """Return where the lines of a member end: blank lines and remarks behind it belong to what follows."""
    while end > start + 1 and _REMARK.match(lines[end - 1]) and not lines[end - 1].startswith((" ", "\t")):
        end -= 1
    return end


def _reads_as(text: str, name: str, value: Any) -> bool:
    try:
        return _is_same(yaml.safe_load(text), {name: value})
    except (yaml.YAMLError, ValueError):
        return False


def _is_same(one: Any, other: Any) -> bool:
    """Return whether two values are written alike as JSON: true is not 1, and a date is nothing that JSON has."""
    try:
        return json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)
    except TypeError:
        return False
