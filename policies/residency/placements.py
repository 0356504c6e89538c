"""Placements: the neutral form of a deployment file: data that lies, or is worked on, in a region."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields, replace
from enum import StrEnum
from typing import Any

from common.registers.documents import Unreadable as Unreadable

_MAX_TEXT = 200
_MAX_WORDS = 100


class Kind(StrEnum):
    STORE = "store"
    PROCESS = "process"
    REPLICA = "replica"
    BACKUP = "backup"


KINDS = frozenset(kind.value for kind in Kind)


@dataclass(frozen=True, kw_only=True)
class Annotations:
    """Annotations about the data; None means that the file does not say, an empty region that it cannot be read."""

    region: str | None = None
    subject_groups: tuple[str, ...] | None = None
    data_categories: tuple[str, ...] | None = None
    purposes: tuple[str, ...] | None = None
    backup_regions: tuple[str, ...] | None = None
    replica_regions: tuple[str, ...] | None = None

    def over(self, general: "Annotations") -> "Annotations":
        """Return these, completed by the more general ones. What is said and cannot be read stays unsaid."""
        said = {
            field.name: getattr(self, field.name) for field in fields(self) if getattr(self, field.name) is not None
        }
        return replace(general, **said)


@dataclass(frozen=True, kw_only=True)
class Placement:
    """A placement. ``region`` is the provider's word, empty where the file has none; ``path`` its place in the file."""

    file: str
    resource: str
    kind: Kind
    provider: str
    region: str
    subject_groups: tuple[str, ...] = ()
    data_categories: tuple[str, ...] = ()
    purposes: tuple[str, ...] = ()
    path: str = ""
    line: int | None = None


# assent.example/data-categories (Kubernetes), assent.data-categories (compose), assent-data-categories (cloud labels).
_KEY = re.compile(r"assent(?:\.[a-z0-9.-]+)?[/:._-]([a-z_-]+)")
_MEMBERS = {
    "subjects": "subject_groups",
    "data_categories": "data_categories",
    "purposes": "purposes",
    "backup_region": "backup_regions",
    "backup_regions": "backup_regions",
    "replica_region": "replica_regions",
    "replica_regions": "replica_regions",
}


def read_labels(labels: Any) -> Annotations:
    """Read annotations among the labels or tags of a resource; those of others are ignored. Raises Unreadable."""
    if isinstance(labels, list):  # compose: ["key=value"]
        labels = dict(entry.split("=", 1) for entry in labels if isinstance(entry, str) and "=" in entry)
    if not isinstance(labels, Mapping):
        return Annotations()
    found: dict[str, Any] = {}
    for key, value in labels.items():
        if match := _KEY.fullmatch(str(key).strip().lower()):
            member = match[1].replace("-", "_")
            if found.setdefault(member, value) != value:
                raise Unreadable(f"two of its labels say {member!r:.60}, and not the same")
    return read_annotations(found)


def read_annotations(said: Any) -> Annotations:
    """Read annotations by their plain names: region, subjects, data-categories, purposes, backup-regions.

    Raises Unreadable for any other name: a misspelt one would leave its place to a more general one.
    """
    if said is None:
        return Annotations()
    if not isinstance(said, Mapping):
        raise Unreadable("what it says about its data is no mapping of names")
    lists: dict[str, tuple[str, ...]] = {}
    region = None
    for key, value in said.items():
        name = str(key).lower().replace("-", "_")
        if name == "region":
            region = text_of(value)
        elif name in _MEMBERS:
            lists[_MEMBERS[name]] = (*lists.get(_MEMBERS[name], ()), *_words_of(name, value))
        else:
            raise Unreadable(f"it says {name!r:.60} about its data, and not one of region, {', '.join(_MEMBERS)}")
    return Annotations(region=region, **lists)


def _words_of(member: str, value: Any) -> tuple[str, ...]:
    """Return the words, each of them readable: a group of people that is left out would be judged by nothing."""
    parts = value if isinstance(value, list | tuple) else [value or ""]
    if not all(isinstance(part, str) and (text_of(part) or not part.strip()) for part in parts):
        raise Unreadable(f"what it says as {member!r} is no text, or too long to be read")
    found = split_words(value)
    if len(found) >= _MAX_WORDS:
        raise Unreadable(f"it names {_MAX_WORDS} words or more as {member!r}")
    return found


def split_words(value: Any) -> tuple[str, ...]:
    """Split ``eea, uk``, ``["eea", "uk"]`` or, where a cloud's labels allow no comma, ``eea__uk``."""
    parts = value if isinstance(value, list | tuple) else re.split(r"[,;\s]+|__", text_of(value))
    return tuple(dict.fromkeys(text_of(part) for part in parts[:_MAX_WORDS] if text_of(part)))


def text_of(value: Any) -> str:
    """Return a short text without control characters, else an empty one: it is printed on a terminal."""
    text = value.strip() if isinstance(value, str) else ""
    return text if len(text) <= _MAX_TEXT and text.isprintable() else ""


def mapping_of(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def list_of(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def placed(
    annotations: Annotations, *, file: str, resource: str, kind: Kind, provider: str, path: str, line: int | None = None
) -> Iterator[Placement]:
    """Return the placement itself, and one for each region its data is copied to by annotation."""
    here = Placement(
        file=file,
        resource=resource,
        kind=kind,
        provider=provider,
        region=annotations.region or "",
        subject_groups=annotations.subject_groups or (),
        data_categories=annotations.data_categories or (),
        purposes=annotations.purposes or (),
        path=path,
        line=line,
    )
    yield here
    yield from copies(here, Kind.REPLICA, annotations.replica_regions or ())
    yield from copies(here, Kind.BACKUP, annotations.backup_regions or ())


def copies(of: Placement, kind: Kind, regions: Iterable[str]) -> Iterator[Placement]:
    for region in regions:
        yield replace(of, kind=kind, region=region)
