"""Routing of policy packages: which one answers for a type of resource, and the facts it is given.

A bundle's data names its packages other than the consent package: ``packages`` maps a ``resource.type`` to a package,
its actions and the properties it reads, ``entities`` holds what is stored of subjects and resources
(docs/decisions/0010). Facts are a closed vocabulary here too: properties a package does not name are left out, values
it does not name become ``unknown``. Ids reach only a package that asks for them, and the log gets pseudonyms in their
place.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import msgspec

UNKNOWN: Final = "unknown"
CONSENT: Final = "governance.decision"
PARTS: Final = ("subject", "action", "resource")
_NAME = re.compile(r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)*")
_MAX_ACTION = 16  # what the log's column holds
_NOTHING: Mapping[str, Any] = {}

Entities = Mapping[str, Mapping[str, Mapping[str, Any]]]
Words = Mapping[str, frozenset[tuple[type, Any]]]


class EntityQuestion(msgspec.Struct, frozen=True, kw_only=True):
    """A question about entities, in the caller's words; ``context`` is no fact of these packages."""

    subject_type: str
    subject_id: str
    subject_properties: Mapping[str, Any] = _NOTHING
    action: str
    action_properties: Mapping[str, Any] = _NOTHING
    resource_type: str
    resource_id: str
    resource_properties: Mapping[str, Any] = _NOTHING


class EntityFacts(msgspec.Struct, frozen=True):
    """The policy's input, and the same for the log (also the memo's key), with pseudonyms for ids."""

    document: bytes
    logged: bytes


@dataclass(frozen=True)
class Package:
    """An entry of the routing table, with the stored entities it decides about."""

    name: str
    entity_ids: bool
    actions: tuple[str, ...]
    words: Mapping[str, Words]
    entities: Entities

    @property
    def query(self) -> str:
        return f"data.{self.name}.answer"

    def ids_of(self, entity_type: str) -> list[str]:
        """Return every stored id of a type, in the order searches answer in."""
        return sorted(self.entities.get(entity_type, _NOTHING))


class _Entry(msgspec.Struct):
    package: str
    actions: list[str]
    entity_ids: bool = False
    properties: dict[str, dict[str, list[str | int | bool]]] = {}


class _Register(msgspec.Struct):
    """The members of a bundle's data that are read here."""

    packages: dict[str, _Entry] = {}
    entities: dict[str, dict[str, dict[str, Any]]] = {}


def read_register(data: Mapping[str, Any]) -> dict[str, Package]:
    """Return the routing table of a bundle's data: ``resource.type`` -> package. Raises ValueError for nonsense."""
    register = msgspec.convert(data, _Register)
    return {kind: _package(entry, register.entities) for kind, entry in register.packages.items()}


def _package(entry: _Entry, entities: Entities) -> Package:
    # The name becomes part of a query and of a URL.
    if not _NAME.fullmatch(entry.package) or entry.package == CONSENT:
        raise ValueError("A package's name is lower-case words joined by dots, and not the consent package's.")
    if any(len(action) > _MAX_ACTION for action in entry.actions):
        raise ValueError(f"An action's name has at most {_MAX_ACTION} characters.")
    return Package(
        name=entry.package,
        entity_ids=entry.entity_ids,
        actions=tuple(sorted(entry.actions)),
        words={part: _words(entry.properties.get(part, {})) for part in PARTS},
        entities=entities,
    )


def _words(properties: Mapping[str, list[str | int | bool]]) -> Words:
    # With their types, because to Python true equals 1.
    return {name: frozenset((type(value), value) for value in values) for name, values in properties.items()}


_encode = msgspec.json.Encoder().encode
Pseudonym = Callable[[str, str], str]


def build(question: EntityQuestion, package: Package, pseudonym: Pseudonym) -> EntityFacts:
    """Return the facts; ``pseudonym(type, id)`` is the log's name of an entity."""
    subject = _entity(package, "subject", question.subject_type, question.subject_id, question.subject_properties)
    resource = _entity(package, "resource", question.resource_type, question.resource_id, question.resource_properties)
    action = {
        "name": question.action if question.action in package.actions else UNKNOWN,
        "properties": _known_properties(package.words["action"], question.action_properties),
    }
    if not package.entity_ids:
        document = _encode({"subject": subject, "action": action, "resource": resource})
        return EntityFacts(document, _logged(package, subject, action, resource))
    subject_ref = {"ref": pseudonym(question.subject_type, question.subject_id)}
    resource_ref = {"ref": pseudonym(question.resource_type, question.resource_id)}
    return EntityFacts(
        _encode(
            {
                "subject": {**subject, "id": question.subject_id},
                "action": action,
                "resource": {**resource, "id": question.resource_id},
            }
        ),
        _logged(package, {**subject, **subject_ref}, action, {**resource, **resource_ref}),
    )


def _logged(package: Package, subject: Any, action: Any, resource: Any) -> bytes:
    # The name of the action stands where entries about consent have it.
    return _encode(
        {
            "action": action["name"],
            "package": package.name,
            "action_properties": action["properties"],
            "subject": subject,
            "resource": resource,
        }
    )


def _entity(package: Package, part: str, entity_type: str, entity_id: str, given: Mapping[str, Any]) -> dict[str, Any]:
    of_type = package.entities.get(entity_type)
    stored = None if of_type is None else of_type.get(entity_id)
    return {
        "type": UNKNOWN if of_type is None else entity_type,
        "known": stored is not None,
        "properties": _known_properties(package.words[part], {**(stored or _NOTHING), **given}),
    }


def _known_properties(words: Words, given: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _word(given[name], known) for name, known in words.items() if name in given}


def _word(value: Any, known: frozenset[tuple[type, Any]]) -> Any:
    return value if isinstance(value, str | bool | int) and (type(value), value) in known else UNKNOWN
