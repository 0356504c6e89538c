"""Files of an answer: JSON with its schema, a CSV for each store, and a page that a person can read."""

import csv
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from django.template.loader import render_to_string
from django.utils.safestring import mark_safe

from privacy.rights.stores.seam import Description, Row

SCHEMA = "https://json-schema.org/draft/2020-12/schema"
_STYLE = mark_safe((Path(__file__).parent / "page.css").read_text(encoding="utf-8"))  # noqa: S308 (our own file)
# What a spreadsheet takes for the start of a formula. JSON stays as it is.
_FORMULAS = ("=", "+", "-", "@", "\t", "\r")
_STRINGS = {name: {"type": "string", "format": name} for name in ("date-time", "date")}


@dataclass(frozen=True)
class Section:
    """Rows of one store, with what the store says about itself."""

    description: Description
    rows: Sequence[Row]


def data_json(sections: Iterable[Section], head: Mapping[str, Any]) -> bytes:
    """Return all rows as JSON, as they are."""
    document = {**head, "data": {each.description.name: [_plain(row) for row in each.rows] for each in sections}}
    return json.dumps(document, ensure_ascii=False, indent=1).encode()


def schema_json(sections: Iterable[Section]) -> bytes:
    """Return the JSON Schema of ``data_json``; titles say what each member is."""
    stores = {each.description.name: _schema_of(each.description) for each in sections}
    data = {"type": "object", "properties": stores, "required": sorted(stores), "additionalProperties": False}
    members = {name: {"type": "string"} for name in ("right", "law", "made_at", "business")}
    document = {"$schema": SCHEMA, "type": "object", "properties": {**members, "data": data}, "required": ["data"]}
    return json.dumps(document, ensure_ascii=False, indent=1).encode()


def _schema_of(description: Description) -> dict[str, Any]:
    members = {
        member.name: {
            "title": member.title,
            "anyOf": [_STRINGS.get(member.kind, {"type": member.kind}), {"type": "null"}],
        }
        for member in description.members
    }
    row = {"type": "object", "properties": members, "required": sorted(members), "additionalProperties": False}
    return {"type": "array", "title": description.title, "items": row}


def section_csv(section: Section) -> bytes:
    """Return one store's rows as CSV. A cell that a spreadsheet would run begins with an apostrophe."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\r\n")
    names = [member.name for member in section.description.members]
    writer.writerow(names)
    for row in section.rows:
        plain = _plain(row)
        writer.writerow([_cell(plain[name]) for name in names])
    return file.getvalue().encode()


def page_html(sections: Iterable[Section], head: Mapping[str, Any]) -> bytes:
    """Return the page: every store, item by item, with where it came from and until when it is kept."""
    shown = [
        {
            "description": each.description,
            "headings": [member.title for member in each.description.members],
            "rows": [[_shown(value) for value in _plain(row).values()] for row in each.rows],
        }
        for each in sections
    ]
    return render_to_string("privacy/answer.html", {"sections": shown, "head": head, "style": _STYLE}).encode()


def _cell(value: Any) -> Any:
    text = _shown(value)
    return f"'{text}" if text.startswith(_FORMULAS) and not isinstance(value, int | float) else text


def _shown(value: Any) -> str:
    if value is None:
        return ""
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict | list | bool) else str(value)


def _plain(row: Row) -> dict[str, Any]:
    return {name: _value(value) for name, value in row.items()}


def _value(value: Any) -> Any:
    if isinstance(value, datetime | date):
        return value.isoformat()
    return str(value) if isinstance(value, UUID) else value
