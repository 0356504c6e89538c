"""Strict YAML of documents from elsewhere: bounded before anything is built, every value with its line.

YAML is read by its 1.2 core schema: ``no`` is a text, ``010`` is ten, ``2024-05-01`` is no date. Anchors, aliases,
tags, repeated members, members that are no text, merge keys, ``.nan`` and ``.inf``, and anything but one document are
refused; so the value is what JSON can hold, and what is written from it reads the same.
"""

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import yaml

from model_registry.documents.refusal import DocumentRefused, path_of

MAX_BYTES = 1024 * 1024
MAX_DEPTH = 40
MAX_NODES = 50_000
_INTEGER = re.compile(r"[-+]?[0-9]{1,40}\Z")
_NUMBER = re.compile(r"[-+]?(\.[0-9]{1,40}|[0-9]{1,40}(\.[0-9]{0,40})?)([eE][-+]?[0-9]{1,3})?\Z")
_WORDS = {"": None, "~": None, "null": None, "Null": None, "NULL": None} | {
    word: value for value, words in ((True, "true True TRUE"), (False, "false False FALSE")) for word in words.split()
}
CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")
_BREAK = re.compile("[\x85\u2028\u2029]")
_NO_FIGURE = re.compile(r"[-+]?\.(inf|Inf|INF)\Z|\.(nan|NaN|NAN)\Z")
TOO_LARGE = f"The document is nested deeper than {MAX_DEPTH} or has more than {MAX_NODES:,} values."
# Files that are no UTF-8 text: where each has its mark, and what is said of them.
_UTF_16 = "UTF-16 and no UTF-8 text; save it as UTF-8"
_ARCHIVE = "an archive or compressed file that is no zip; archives of documents are zips"
_OTHER_FILES = (
    (0, b"\xff\xfe", _UTF_16), (0, b"\xfe\xff", _UTF_16),
    (0, b"\x1f\x8b", _ARCHIVE), (0, b"BZh", _ARCHIVE), (0, b"\xfd7zXZ", _ARCHIVE), (0, b"7z\xbc", _ARCHIVE),
    (257, b"ustar", _ARCHIVE),
    (0, b"PK\x03\x04", "a zip archive, and the form of one document was named"),
    (0, b"%PDF", "a PDF, which is written and not read"),
)  # fmt: skip
ESCAPED = "There is a control character, or half of a character, in a text."
Path = tuple[str | int, ...]


@dataclass
class Read:
    """A value with the line of each of its members, by path."""

    value: Any
    lines: dict[Path, int] = field(default_factory=dict)

    def refuse(self, path: Path, what: str) -> DocumentRefused:
        """Return the refusal of a member, at its line or that of the nearest member around it."""
        around = next((path[:size] for size in range(len(path), -1, -1) if path[:size] in self.lines), ())
        return DocumentRefused(what, line=self.lines.get(around), member=path_of(path))


def decoded(data: bytes) -> str:
    """Return the text of a file, without a byte order mark. Raises DocumentRefused."""
    if len(data) > MAX_BYTES:
        raise DocumentRefused(f"The file is larger than {MAX_BYTES // 1024:,} KiB.")
    for place, mark, kind in _OTHER_FILES:
        if data.startswith(mark, place):
            raise DocumentRefused(f"This is {kind}.", line=1)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as exc:
        raise DocumentRefused("This is no UTF-8 text.", line=data[: exc.start].count(b"\n") + 1) from None
    if found := CONTROL.search(text):
        raise DocumentRefused("There is a control character.", line=text[: found.start()].count("\n") + 1)
    return text


def read_yaml(text: str, *, first_line: int = 1) -> Read:
    """Return one YAML document; lines count from ``first_line``. Raises DocumentRefused."""
    if found := _BREAK.search(text):
        line = first_line + text[: found.start()].count("\n")
        raise DocumentRefused("Here is a character that ends a line for some readers and not for others.", line=line)
    try:
        _check_events(text, first_line)
        node = yaml.compose(text, yaml.SafeLoader)
    except yaml.YAMLError as exc:
        mark = getattr(exc, "problem_mark", None)
        line = first_line + mark.line if mark else first_line
        problem = "".join(c for c in str(getattr(exc, "problem", None) or "bad characters") if c.isprintable())
        raise DocumentRefused(f"This is no YAML: {problem[:120]}.", line=line) from None
    built = Read(None)
    built.value = _built(node, (), built, first_line) if node is not None else None
    return built


def _check_events(text: str, first_line: int) -> None:
    """Refuse by the parser's events, before a tree is built: depth, size, aliases, tags, further documents."""
    depth = nodes = documents = 0
    for event in yaml.parse(text, yaml.SafeLoader):
        line = first_line + (event.start_mark.line if event.start_mark else 0)
        documents += isinstance(event, yaml.DocumentStartEvent)
        depth += isinstance(event, yaml.CollectionStartEvent)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        nodes += isinstance(event, yaml.NodeEvent)
        refusal = _refused(event, depth, nodes, documents)
        if refusal:
            raise DocumentRefused(refusal, line=line)


def _refused(event: Any, depth: int, nodes: int, documents: int) -> str:
    if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
        return "Anchors and aliases are not taken in: write the value where it belongs."
    if getattr(event, "tag", None) is not None:
        return "Tags (such as !!python) are not taken in."
    if depth > MAX_DEPTH or nodes > MAX_NODES:
        return TOO_LARGE
    return "There is more than one document." if documents > 1 else ""


def _built(node: Any, path: Path, found: Read, first_line: int) -> Any:
    found.lines[path] = first_line + node.start_mark.line
    if isinstance(node, yaml.ScalarNode):
        if CONTROL.search(node.value):
            raise found.refuse(path, ESCAPED)
        if node.style is None and _NO_FIGURE.match(node.value):
            raise DocumentRefused(
                f"“{node.value}” is no figure: leave the member out, or write it as a text in quotes.",
                line=found.lines[path], member=path_of(path),
            )  # fmt: skip
        return _scalar(node)
    if isinstance(node, yaml.SequenceNode):
        return [_built(each, (*path, number), found, first_line) for number, each in enumerate(node.value)]
    return dict(_members(node, path, found, first_line))


def _members(node: Any, path: Path, found: Read, first_line: int) -> Iterator[tuple[str, Any]]:
    seen: set[str] = set()
    for key, value in node.value:
        line = first_line + key.start_mark.line
        if not isinstance(key, yaml.ScalarNode) or not isinstance(_scalar(key), str):
            raise DocumentRefused("A member's name must be a text.", line=line, member=path_of(path))
        if CONTROL.search(key.value):
            raise DocumentRefused(ESCAPED, line=line, member=path_of(path))
        if key.value == "<<" and key.style is None:
            raise DocumentRefused("Merge keys are not taken in: write the members out.", line=line)
        if key.value in seen:
            raise DocumentRefused("This member is stated twice.", line=line, member=path_of((*path, key.value)))
        seen.add(key.value)
        built = _built(value, (*path, key.value), found, first_line)
        found.lines[(*path, key.value)] = line
        yield key.value, built


def _scalar(node: Any) -> Any:
    text: str = node.value
    if node.style is not None:  # quoted, or a block of text
        return text
    if text in _WORDS:
        return _WORDS[text]
    if _INTEGER.match(text):
        return int(text)
    number = float(text) if _NUMBER.match(text) else math.inf
    return number if math.isfinite(number) else text


def written_yaml(value: Any) -> str:
    """Return YAML that ``read_yaml``, and readers of YAML 1.1, read as the same value."""
    return yaml.dump(value, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=10_000, default_flow_style=False)


class _Dumper(yaml.SafeDumper):
    """Dumper that quotes every text which some reader takes for something else, such as ``no`` and ``1e3``."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _text(dumper: Any, text: str) -> Any:
    is_plain = re.fullmatch(r"[A-Za-z_/][A-Za-z0-9 _./()+-]*[A-Za-z0-9)]|[A-Za-z]", text)
    ambiguous = dumper.resolve(yaml.ScalarNode, text, (True, False)) != "tag:yaml.org,2002:str"
    ambiguous = ambiguous or text in ("y", "Y", "n", "N")  # YAML 1.1 has them for true and false
    style = None if is_plain and not ambiguous else '"'
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


def _float(dumper: Any, value: float) -> Any:
    text = repr(value)
    if "e" in text and "." not in text:
        text = text.replace("e", ".0e", 1)
    return dumper.represent_scalar("tag:yaml.org,2002:float", text)


_Dumper.add_representer(str, _text)
_Dumper.add_representer(float, _float)
