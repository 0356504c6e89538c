"""Display helpers of the admin: moments relative to now, long identifiers shortened, documents as tables."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.contrib.humanize.templatetags.humanize import naturaltime
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.timezone import localtime

NOTHING = "–"  # noqa: RUF001 (an en dash is what an empty cell shows)
_ACTORS = {"service": "Service", "officer": "Officer", "job": "Job"}


def in_days(length: timedelta) -> str:
    """Word a length of time: whole days as such."""
    if length != timedelta(days=length.days):
        return str(length)
    return "1 day" if length.days == 1 else f"{length.days} days"


def moment(value: datetime | None) -> str:
    """Format a moment relative to now, with the exact time on hover."""
    if value is None:
        return NOTHING
    exact = localtime(value)
    return format_html(
        '<time datetime="{}" title="{}" class="fact-when">{}</time>',
        exact.isoformat(),
        f"{exact:%-d %B %Y, %H:%M:%S %Z}",
        naturaltime(value),
    )


def exact_moment(value: datetime | None) -> str:
    """Format the exact time and how long ago it was: for the page of one object."""
    if value is None:
        return NOTHING
    return format_html("{} ({})", f"{localtime(value):%-d %B %Y, %H:%M:%S %Z}", naturaltime(value))


def short(identifier: object, *, keep: int = 8, href: str | None = None) -> str:
    """Shorten a long identifier; all of it on hover."""
    text = str(identifier)
    cut = f"{text[:keep]}…" if len(text) > keep + 1 else text
    if href:
        return format_html('<a href="{}" title="{}">{}</a>', href, text, cut)
    return format_html('<span title="{}">{}</span>', text, cut)


def badge(text: str, tone: str = "plain") -> str:
    """Format a state as a badge; the tone (good, info, caution, alarm or plain) only repeats the word."""
    return format_html('<span class="fact-badge fact-badge-{}">{}</span>', tone, text)


def code(text: str) -> str:
    """Format a digest or an identifier in full, broken where the column ends."""
    return format_html('<code class="fact-code">{}</code>', text)


def who(actor: str) -> str:
    """Format an actor: ``service:shop`` as a readable name."""
    if actor == "subject":
        return "The person"
    kind, _, name = actor.partition(":")
    if not name:
        return "Assent" if actor == "system" else actor
    return f"{_ACTORS.get(kind, kind.capitalize())} {name}"


def sentence(name: str) -> str:
    """Format an action: ``subject_link.opened`` as "Subject link opened"."""
    return name.replace(".", " ").replace("_", " ").replace("-", " ").strip().capitalize()


def table(rows: Iterable[tuple[Any, Any]]) -> str:
    """Render a table of two columns: label and value."""
    body = format_html_join("", '<tr><th scope="row">{}</th><td>{}</td></tr>', rows)
    return format_html('<table class="facts"><tbody>{}</tbody></table>', body) if body else NOTHING


def grid(headings: Sequence[str], rows: Iterable[Iterable[Any]]) -> str:
    """Render a table with headings; numbers are aligned right.

    On a phone the cells of a row stand one below the other, each with its heading.
    """
    head = format_html_join("", '<th scope="col">{}</th>', ((heading,) for heading in headings))
    body = format_html_join("", "<tr>{}</tr>", ((_cells(row, headings),) for row in rows))
    if not body:
        return NOTHING
    return format_html('<table class="facts stacked"><thead><tr>{}</tr></thead><tbody>{}</tbody></table>', head, body)


def _cells(row: Iterable[Any], labels: Sequence[str]) -> SafeString:
    kinds = [("fact-number" if isinstance(cell, int | float) else "", cell) for cell in row]
    labelled = ((kind, label, cell) for label, (kind, cell) in zip(labels, kinds, strict=True))
    return format_html_join("", '<td class="{}" data-label="{}">{}</td>', labelled)


def document(value: Mapping[str, Any]) -> str:
    """Render a JSON document as a table, nested members with their path."""
    return table(_flat(value))


def _flat(value: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, Any]]:
    for key, member in value.items():
        name = f"{path}: {words(key)}" if path else sentence(key)
        if isinstance(member, Mapping) and member:
            yield from _flat(member, name)
        else:
            yield name, _in_words(member)


def words(name: str) -> str:
    return name.replace("_", " ")


def _in_words(value: Any) -> Any:
    if value is None or value in ("", [], {}):
        return NOTHING
    if isinstance(value, bool):
        return "Yes" if value else "No"
    if isinstance(value, list):
        return ", ".join(str(_in_words(member)) for member in value)
    if not isinstance(value, str):
        return value
    return code(value) if len(value) > 32 and " " not in value else words(value)


def folded(summary: str, content: Any) -> str:
    """Render content behind a disclosure: what few readers need."""
    return format_html('<details class="fact-fold"><summary>{}</summary>{}</details>', summary, content)


def pretty_json(text: str) -> SafeString:
    """Return a JSON document as indented, preformatted text."""
    return format_html("<pre>{}</pre>", json.dumps(json.loads(text), indent=2, ensure_ascii=False))
