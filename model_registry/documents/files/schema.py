"""Check of documents by the official JSON schemas of CycloneDX, with the place of what is wrong.

The schemas are kept in ``cyclonedx/`` as published. Sentences are our own and name no value of the document.
"""

import json
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path as File
from typing import Any

from model_registry.documents.forms import kind_of
from model_registry.documents.reading import Path, Read

_FOLDER = File(__file__).with_name("cyclonedx")
_BASE = "http://cyclonedx.org/schema/"
_REFERRED = ("spdx", "jsf-0.82", "cryptography-defs")
_LISTED = 20  # words of an enumeration that are named; SPDX has hundreds
_TYPES = {
    "string": "a text", "array": "a list", "object": "an object", "boolean": "true or false", "null": "empty",
    "number": "a number", "integer": "a whole number",
}  # fmt: skip


def check_cyclonedx(found: Read, version: str) -> None:
    """Refuse a document that the schema of its version refuses. Raises DocumentRefused at the line."""
    error = next(_validator(version).iter_errors(found.value), None)
    if error is not None:
        path, what = _said(_innermost(error))
        raise found.refuse(path, f"{what} (CycloneDX {version})")


def is_cyclonedx(document: Any, version: str) -> bool:
    """Return whether the schema of a version takes a document."""
    return bool(_validator(version).is_valid(document))


@lru_cache
def _validator(version: str) -> Any:
    from jsonschema import Draft7Validator, validators
    from referencing import Registry
    from referencing.jsonschema import DRAFT7

    contents = {f"{_BASE}{name}.SNAPSHOT.schema.json": _schema(name) for name in _REFERRED}
    registry: Any = Registry().with_resources((uri, DRAFT7.create_resource(each)) for uri, each in contents.items())
    return validators.extend(Draft7Validator, {"uniqueItems": _unique})(_schema(f"bom-{version}"), registry=registry)


def _schema(name: str) -> Any:
    return json.loads((_FOLDER / f"{name}.SNAPSHOT.schema.json").read_bytes())


def _unique(_validator: Any, is_wanted: bool, instance: Any, _schema: Any) -> Iterator[Any]:
    """Find an entry that is there twice, in one pass; the library compares each with each."""
    from jsonschema import ValidationError

    if not is_wanted or not isinstance(instance, list):
        return
    seen: set[str] = set()
    for number, each in enumerate(instance):
        text = json.dumps(each, sort_keys=True)
        if text in seen:
            yield ValidationError("twice", path=[number], validator="uniqueItems")
            return
        seen.add(text)


def _innermost(error: Any) -> Any:
    """Return what is wrong in the alternative that the document comes nearest to: the one with the fewest errors."""
    while error.context:
        branches: dict[Any, list[Any]] = {}
        for each in error.context:
            branches.setdefault(each.schema_path[0], []).append(each)
        nearest = min(branches.values(), key=lambda found: (len(found), -max(len(each.path) for each in found)))
        error = nearest[0]
    return error


def _said(error: Any) -> tuple[Path, str]:
    """Return the member that is wrong, and a sentence."""
    path: Path = tuple(error.absolute_path)
    wanted, value = error.validator_value, error.instance
    match error.validator:
        case "required":
            return path, f"“{next(name for name in wanted if name not in value)}” is missing."
        case "additionalProperties":
            unknown = [name for name in value if name not in error.schema.get("properties", {})]
            return (*path, *unknown[:1]), "The form has no such member here."
        case "type":
            return path, f"This must be {_kinds(wanted)}, not {kind_of(value)}."
        case "enum" | "const":
            return path, _words(wanted if isinstance(wanted, list) else [wanted])
        case "pattern":
            return path, "This is not written as the form wants it."
        case "minLength" | "minItems":
            return path, "This must not be empty."
        case "minimum" | "exclusiveMinimum" | "maximum" | "exclusiveMaximum":
            return path, "The number is out of its bounds."
        case "uniqueItems":
            return path, "This entry is there twice."
    return path, "This has none of the forms that may stand here, or more than one of them."


def _kinds(wanted: Any) -> str:
    names = wanted if isinstance(wanted, list) else [wanted]
    return " or ".join(_TYPES[name] for name in names)


def _words(known: list[Any]) -> str:
    if len(known) > _LISTED:
        return "This is none of the words that the form has here; a licence without an SPDX id has a name instead."
    return f"This must be {'one of ' if len(known) > 1 else ''}{', '.join(map(str, known))}."
