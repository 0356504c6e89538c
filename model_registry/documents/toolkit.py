"""Model Card Toolkit JSON, schema 0.0.2 (model-card-toolkit at 74d7e6d); a card of 0.0.1 becomes one of 0.0.2.

The schema demands nothing and refuses unknown members at the top only; here a misspelt member is refused at every
level, with its line, as ``owner`` for ``owners`` would pass unseen. Every figure is a text in this form.
"""

import json
from typing import Any

from model_registry.documents.card import ModelCard
from model_registry.documents.files import toolkit_first
from model_registry.documents.files.json_reading import read_json
from model_registry.documents.forms import (
    Document,
    card_of,
    check,
    overlaid,
    without_blanks,
)
from model_registry.documents.reading import Path, Read, decoded

NAME = "model-card-toolkit"
SCHEMA_VERSION = "0.0.2"
# Members by place: a text, or what is inside. A list stands in brackets.
_GRAPHICS = {"description": "", "collection": [{"name": "", "image": ""}]}
_FORM: Document = {
    "schema_version": "",
    "model_details": {
        "name": "", "overview": "", "documentation": "", "path": "",
        "owners": [{"name": "", "contact": ""}],
        "version": {"name": "", "date": "", "diff": ""},
        "licenses": [{"identifier": "", "custom_text": ""}],
        "references": [{"reference": ""}],
        "citations": [{"style": "", "citation": ""}],
    },
    "model_parameters": {
        "model_architecture": "", "input_format": "", "output_format": "",
        "data": [{"name": "", "link": "", "description": "", "sensitive": {"sensitive_data": [""]},
                  "graphics": _GRAPHICS}],
        "input_format_map": [{"key": "", "value": ""}],
        "output_format_map": [{"key": "", "value": ""}],
    },
    "quantitative_analysis": {
        "performance_metrics": [{"type": "", "value": "", "slice": "",
                                 "confidence_interval": {"lower_bound": "", "upper_bound": ""}}],
        "graphics": _GRAPHICS,
    },
    "considerations": {
        **{name: [{"description": ""}] for name in ("users", "use_cases", "limitations", "tradeoffs")},
        "ethical_considerations": [{"name": "", "mitigation_strategy": ""}],
    },
}  # fmt: skip


def read(data: bytes) -> ModelCard:
    """Return the card of a Model Card Toolkit JSON file. Raises DocumentRefused with the line."""
    found = read_json(decoded(data))
    if toolkit_first.is_one(found.value):
        found = toolkit_first.raised(found)
    check(found, (), found.value, _FORM)
    _check_licenses(found)
    return card_of({**_members(found.value), "kept": {NAME: found.value}}, found)


def write(card: ModelCard) -> bytes:
    """Return the JSON of a card, which names its schema."""
    original = card.kept.get(NAME, {"schema_version": SCHEMA_VERSION})
    check(Read(original), (), original, _FORM)  # a card of our own JSON may state any
    theirs = _document(card_of(_members(original), Read(original)))
    document = overlaid(original, theirs, _document(card))
    return json.dumps(document, ensure_ascii=False, indent=2).encode() + b"\n"


def _check_licenses(found: Read) -> None:
    for number, each in enumerate(found.value.get("model_details", {}).get("licenses", [])):
        if {"identifier", "custom_text"} <= each.keys():
            path: Path = ("model_details", "licenses", number)
            raise found.refuse(path, "A licence has an identifier or a custom text, not both.")


def _members(document: Document) -> Document:
    details, parameters = document.get("model_details", {}), document.get("model_parameters", {})
    version, considerations = details.get("version", {}), document.get("considerations", {})
    figures = document.get("quantitative_analysis", {}).get("performance_metrics", [])
    return {
        "name": details.get("name", ""),
        "overview": details.get("overview", ""),
        "documentation": details.get("documentation", ""),
        "version": version.get("name", ""),
        "date": version.get("date", ""),
        "changes": version.get("diff", ""),
        "owners": [_only(each, ("name", "contact")) for each in details.get("owners", [])],
        "licenses": [
            {"id": each.get("identifier", ""), "text": each.get("custom_text", "")}
            for each in details.get("licenses", [])
        ],
        "references": [each.get("reference", "") for each in details.get("references", [])],
        "citations": [_only(each, ("style", "citation")) for each in details.get("citations", [])],
        "architecture": {
            "name": parameters.get("model_architecture", ""),
            "inputs": _formats(parameters, "input_format"),
            "outputs": _formats(parameters, "output_format"),
        },
        "training": {"data": [_dataset(each) for each in parameters.get("data", [])]},
        "evaluations": [{"metrics": [_metric(each) for each in figures]}] if figures else [],
        "considerations": {
            **{
                name: [each.get("description", "") for each in considerations.get(name, [])]
                for name in ("users", "use_cases", "limitations", "tradeoffs")
            },
            "ethical": [
                {"name": each.get("name", ""), "mitigation": each.get("mitigation_strategy", "")}
                for each in considerations.get("ethical_considerations", [])
            ],
        },
    }


def _only(each: Document, names: tuple[str, ...]) -> Document:
    return {name: each[name] for name in names if name in each}


def _formats(parameters: Document, name: str) -> list[str]:
    pairs = [f"{each.get('key', '')}: {each.get('value', '')}" for each in parameters.get(f"{name}_map", [])]
    return [*([parameters[name]] if parameters.get(name) else []), *pairs]


def _dataset(each: Document) -> Document:
    return {
        "name": each.get("name", ""),
        "url": each.get("link", ""),
        "description": each.get("description", ""),
        "sensitive": each.get("sensitive", {}).get("sensitive_data", []),
    }


def _metric(each: Document) -> Document:
    interval = each.get("confidence_interval")
    return {
        "type": each.get("type", ""),
        "value": each.get("value"),
        "slice": each.get("slice", ""),
        "interval": {"lower": interval.get("lower_bound"), "upper": interval.get("upper_bound")} if interval else None,
    }


def _document(card: ModelCard) -> Document:
    """Return the members that the form has for what a card says."""
    said = card.considerations
    details = {
        "name": card.name,
        "overview": card.overview,
        "documentation": card.documentation,
        "owners": [without_blanks(each.model_dump()) for each in card.owners],
        "version": without_blanks({"name": card.version, "date": card.date, "diff": card.changes}),
        "licenses": [
            {"identifier": each.id} if each.id else {"custom_text": each.text or each.name} for each in card.licenses
        ],
        "references": [{"reference": each} for each in card.references],
        "citations": [without_blanks(each.model_dump()) for each in card.citations],
    }
    parameters = {
        "model_architecture": card.architecture.name,
        "data": [_data(each) for each in card.training.data],
        "input_format": "; ".join(card.architecture.inputs),
        "output_format": "; ".join(card.architecture.outputs),
    }
    figures = [_figure(metric, each.dataset.split) for each in card.evaluations for metric in each.metrics]
    considerations = {
        **{
            name: [{"description": each} for each in getattr(said, name)]
            for name in ("users", "use_cases", "limitations", "tradeoffs")
        },
        "ethical_considerations": [
            without_blanks({"name": each.name, "mitigation_strategy": each.mitigation}) for each in said.ethical
        ],
    }
    return without_blanks(
        {
            "model_details": without_blanks(details),
            "model_parameters": without_blanks(parameters),
            "quantitative_analysis": without_blanks({"performance_metrics": figures}),
            "considerations": without_blanks(considerations),
        }
    )


def _data(each: Any) -> Document:
    sensitive = {"sensitive_data": each.sensitive} if each.sensitive else {}
    return without_blanks(
        {"name": each.name, "link": each.url, "description": each.description, "sensitive": sensitive}
    )


def _figure(metric: Any, split: str | None) -> Document:
    interval = metric.interval
    bounds = {"lower_bound": _said(interval.lower), "upper_bound": _said(interval.upper)} if interval else {}
    return without_blanks(
        {
            "type": metric.type or metric.name or "",
            "value": _said(metric.value),
            "slice": metric.slice or split or "",
            "confidence_interval": without_blanks(bounds),
        }
    )


def _said(value: Any) -> str:
    """Return a figure as the form has it: as a text."""
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value)
