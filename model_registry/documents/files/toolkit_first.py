"""Model Card Toolkit JSON of the first schema, 0.0.1, made one of 0.0.2.

The toolkit's own conversion fails without a licence, references or a citation, and leaves figures as numbers.
"""

import json
from collections.abc import Callable
from typing import Any

from model_registry.documents.forms import Document, check, kind_of, list_of, object_of, text_of
from model_registry.documents.reading import Path, Read

_VERSIONS = ("0.0.1", "v0.0.1")
_GRAPHICS = {"description": "", "collection": [{"name": "", "image": ""}]}
_DATA = {"name": "", "link": "", "sensitive": None, "graphics": _GRAPHICS}
_FORM: Document = {
    "schema_version": "",
    "model_details": {
        "name": "", "overview": "", "owners": [{"name": "", "contact": ""}],
        "version": {"name": "", "date": "", "diff": ""},
        "license": "", "references": [""], "citation": "",
    },
    "model_parameters": {
        "model_architecture": "", "data": {"train": _DATA, "eval": _DATA}, "input_format": "", "output_format": "",
    },
    "quantitative_analysis": {
        "performance_metrics": [{"type": "", "value": None, "slice": "", "threshold": None,
                                 "confidence_interval": {"lower_bound": None, "upper_bound": None}}],
        "graphics": _GRAPHICS,
    },
    "considerations": {
        "users": [""], "use_cases": [""], "limitations": [""], "tradeoffs": [""],
        "ethical_considerations": [{"name": "", "mitigation_strategy": ""}],
    },
}  # fmt: skip
_NAMES = {"train": "Training Set", "eval": "Validation Set"}  # as the toolkit calls data without a name


def is_one(document: Any) -> bool:
    """Return whether a document says that it is of the first schema."""
    return isinstance(document, dict) and document.get("schema_version") in _VERSIONS


def raised(found: Read) -> Read:
    """Return a document of the first schema as one of the second, with its lines. Raises DocumentRefused."""
    check(found, (), found.value, _FORM)
    document = {**found.value, "schema_version": "0.0.2"}
    for name, change in _SECTIONS.items():
        if name in document:
            document[name] = change(found, (name,), document[name])
    return Read(document, found.lines)


def _details(_found: Read, _path: Path, details: Document) -> Document:
    changed = {
        "licenses": [{"custom_text": details["license"]}] if details.get("license") else None,
        "references": [{"reference": each} for each in details.get("references", [])],
        "citations": [{"citation": details["citation"]}] if details.get("citation") else None,
    }
    kept = {name: value for name, value in details.items() if name not in ("license", "references", "citation")}
    return kept | {name: value for name, value in changed.items() if value}


def _parameters(found: Read, path: Path, parameters: Document) -> Document:
    data = parameters.get("data")
    if data is None:
        return parameters
    return {**parameters, "data": [_data(found, (*path, "data", name), name, each) for name, each in data.items()]}


def _data(found: Read, path: Path, name: str, data: Any) -> Document:
    each = object_of(found, path, data)
    changed = {"name": each.get("name") or _NAMES.get(name, name)}
    is_sensitive = each.get("sensitive")
    if is_sensitive not in (None, True, False):
        raise found.refuse((*path, "sensitive"), f"This must be true or false, not {kind_of(is_sensitive)}.")
    if is_sensitive is not None:
        changed["sensitive"] = {"sensitive_data": ["yes, not described"] if is_sensitive else []}
    return {**each, **changed}


def _analysis(found: Read, path: Path, analysis: Document) -> Document:
    figures = analysis.get("performance_metrics")
    if figures is None:
        return analysis
    at = (*path, "performance_metrics")
    return {**analysis, "performance_metrics": [_texts(found, (*at, n), each) for n, each in enumerate(figures)]}


def _texts(found: Read, path: Path, figure: Document) -> Document:
    """Return a figure, or its interval, with each number as a text."""
    return {
        name: _texts(found, (*path, name), value) if isinstance(value, dict) else _text(found, (*path, name), value)
        for name, value in figure.items()
    }


def _text(found: Read, path: Path, value: Any) -> str:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return json.dumps(value) if is_number else text_of(found, path, value)


def _considerations(found: Read, path: Path, said: Document) -> Document:
    return {
        name: [{"description": each} for each in list_of(found, (*path, name), value)]
        if name != "ethical_considerations" and name in _FORM["considerations"]
        else value
        for name, value in said.items()
    }


_SECTIONS: dict[str, Callable[[Read, Path, Document], Document]] = {
    "model_details": _details,
    "model_parameters": _parameters,
    "quantitative_analysis": _analysis,
    "considerations": _considerations,
}
