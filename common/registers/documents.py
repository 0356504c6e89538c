"""Read untrusted files: bounded in size, depth and aliases, and nothing in them is ever executed."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from common.http import strict_json

try:
    from yaml import CSafeLoader as _SafeLoader
except ImportError:  # a build of PyYAML without libyaml
    from yaml import SafeLoader as _SafeLoader  # type: ignore[assignment]


class Unreadable(Exception):
    """Refusal of a file; the text says why in a sentence."""


_MAX_JSON_BYTES = 64 * 1024 * 1024
_MAX_YAML_BYTES = 2 * 1024 * 1024
_MAX_DEPTH = 60
_MAX_NODES = 200_000
_MAX_DOCUMENTS = 2_000


class Lined(dict[str, Any]):
    """Mapping that remembers the line it begins on."""

    line: int | None = None


class _Loader(_SafeLoader):
    """Loader that keeps scalars as text (``NO`` is a region, not false); merge keys work, as compose files need."""

    yaml_implicit_resolvers = {
        first: [(tag, pattern) for tag, pattern in found if tag == "tag:yaml.org,2002:merge"]
        for first, found in _SafeLoader.yaml_implicit_resolvers.items()
    }


def _lined(loader: Any, node: Any) -> Iterator[Lined]:
    mapping = Lined()
    mapping.line = node.start_mark.line + 1
    yield mapping
    mapping.update(loader.construct_mapping(node))


class _TypedLoader(_SafeLoader):
    """Loader of files that this program writes, whose scalars have the types of YAML 1.1."""


for _each in (_Loader, _TypedLoader):
    _each.add_constructor("tag:yaml.org,2002:map", _lined)


def read_documents(path: Path, *, typed: bool = False) -> list[Any]:
    """Return the documents of a JSON or YAML file. Raises Unreadable, with a sentence, for anything else.

    YAML scalars stay text unless ``typed``: a region ``NO`` is not false. Mappings remember their line (``Lined``).
    JSON is read as JSON in any encoding that its first bytes show: read as YAML, its ``false`` would be a text.
    """
    data = _read(path)
    text = _decoded(data)
    if text.lstrip()[:1] == "{":
        return [_read_json(text)]
    if len(data) > _MAX_YAML_BYTES:
        raise Unreadable(f"it is larger than {_MAX_YAML_BYTES // 1024 // 1024} MB")
    return _read_yaml(text, _TypedLoader if typed else _Loader)


def _decoded(data: bytes) -> str:
    """Return the text without byte order marks: UTF-8, UTF-16 or UTF-32, as their first bytes show."""
    encoding = json.detect_encoding(data)
    try:
        return data.decode(encoding).lstrip("\ufeff")
    except UnicodeDecodeError:
        raise Unreadable(f"it is no text in {encoding.upper()}") from None


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(_MAX_JSON_BYTES + 1)
    except OSError as exc:
        raise Unreadable(exc.strerror or "it cannot be opened") from None
    if len(data) > _MAX_JSON_BYTES:
        raise Unreadable(f"it is larger than {_MAX_JSON_BYTES // 1024 // 1024} MB")
    return data


def _read_json(text: str) -> Any:
    try:
        return strict_json.loads_document(text)
    except strict_json.InvalidJson as exc:
        raise Unreadable(f"it cannot be read in one way only: {exc}") from None
    except ValueError as exc:
        raise Unreadable(f"it is not JSON ({exc})") from None


def _read_yaml(text: str, loader: Any) -> list[Any]:
    try:
        _check_shape(text)
        _refuse_repeated(text)
        return [document for document in yaml.load_all(text, loader) if document is not None]
    except yaml.constructor.ConstructorError as exc:
        if str(exc.problem).endswith(("'!reset'", "'!override'")):
            raise Unreadable("it changes another compose file: judge the output of docker compose config") from None
        raise Unreadable(f"it is not YAML that can be read ({_where(exc)})") from None
    except yaml.YAMLError as exc:
        raise Unreadable(f"it is not YAML that can be read ({_where(exc)})") from None
    except RecursionError:
        raise Unreadable("it is nested too deeply") from None
    except (ValueError, TypeError) as exc:
        raise Unreadable(f"it is not YAML that can be read ({type(exc).__name__})") from None


def _check_shape(text: str) -> None:  # noqa: C901 (one event after the other, as the parser gives them)
    """Refuse what a few lines of aliases would blow up, before anything is built from it."""
    sizes: dict[str, int] = {}
    open_nodes: list[tuple[str | None, int]] = []
    nodes = documents = 0
    for event in yaml.parse(text, _SafeLoader):
        documents += isinstance(event, yaml.DocumentStartEvent)
        if isinstance(event, yaml.AliasEvent):
            # An anchor that is still open would contain itself.
            if event.anchor not in sizes:
                raise Unreadable(f"the alias {event.anchor!r:.60} has no anchor before it")
            nodes += sizes[event.anchor]
        elif isinstance(event, yaml.NodeEvent):
            nodes += 1
            if isinstance(event, yaml.CollectionStartEvent):
                open_nodes.append((event.anchor, nodes - 1))
            elif event.anchor:
                sizes[event.anchor] = 1
        elif isinstance(event, yaml.CollectionEndEvent):
            anchor, before = open_nodes.pop()
            if anchor:
                sizes[anchor] = nodes - before
        if nodes > _MAX_NODES or len(open_nodes) > _MAX_DEPTH or documents > _MAX_DOCUMENTS:
            raise Unreadable("it is too large, too deep, or its aliases unfold into too much")


def _refuse_repeated(text: str) -> None:
    """Refuse a member that a mapping states twice: which of them another reader takes is not known."""
    waiting = list(yaml.compose_all(text, _SafeLoader))
    seen: set[int] = set()
    while waiting:
        node = waiting.pop()
        if id(node) in seen or isinstance(node, yaml.ScalarNode):
            continue
        seen.add(id(node))
        if isinstance(node, yaml.SequenceNode):
            waiting += node.value
            continue
        keys = [key.value for key, _ in node.value if isinstance(key, yaml.ScalarNode)]
        if len(set(keys)) != len(keys):
            raise Unreadable(f"a mapping at line {node.start_mark.line + 1} states a member twice")
        waiting += [value for _, value in node.value]


def _where(error: yaml.YAMLError) -> str:
    mark = getattr(error, "problem_mark", None)
    problem = str(getattr(error, "problem", None) or "bad characters")
    problem = "".join(c for c in problem if c.isprintable())[:120]
    return f"line {mark.line + 1}: {problem}" if mark else problem
