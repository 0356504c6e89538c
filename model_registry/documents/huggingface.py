"""README of Hugging Face: YAML metadata between two fences, and the text behind them.

Read without the hub's library, which asks the network, merges results that differ only in their names, and drops what
it does not know. The metadata's own members: hub-docs at 242f4a1e.
"""

import re
from collections.abc import Sequence
from itertools import compress
from typing import Any

from model_registry.documents.card import Evaluation, ModelCard
from model_registry.documents.files import eval_results, front_matter
from model_registry.documents.forms import (
    Document,
    card_of,
    list_of,
    needed,
    object_of,
    overlaid,
    text_of,
    without_blanks,
)
from model_registry.documents.reading import Path, Read, decoded, read_yaml
from model_registry.documents.refusal import DocumentRefused

NAME = "huggingface"
LINES = "huggingface-lines"  # of the metadata, with remarks and quotes
_FENCE = "---"
# Only these end a line of the file; YAML and Python know more, and a fence stands at the start of a line.
_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n|\Z)")


def read(data: bytes) -> ModelCard:
    """Return the card of a README.md. Raises DocumentRefused with the line."""
    head, block, body = _parts(decoded(data))
    members = _members(head)
    lines = front_matter.lines_of(block, head.value)
    said = {**members, "body": body, "kept": {NAME: head.value, **({LINES: lines} if lines else {})}}
    return card_of(said, head)


def write(card: ModelCard) -> bytes:
    """Return the README.md of a card."""
    original = card.kept.get(NAME, {})
    theirs = _document(card_of(_members(Read(original)), Read(original)))
    beside = eval_results.of(card)
    own = [each for each in card.evaluations if each not in beside]
    metadata = overlaid(original, theirs, _document(card.model_copy(update={"evaluations": own})))
    metadata = _with_results(metadata, card, beside)
    # A text that begins as metadata would be taken for it, were there no block before it.
    has_block = metadata or card.kept.get(LINES) or card.body.lstrip().startswith(_FENCE)
    block = front_matter.rebuilt(card.kept.get(LINES, ()), metadata)
    head = f"{_FENCE}\n{block}{_FENCE}\n" if has_block else ""
    is_crlf = "\r\n" in card.body and "\n" not in card.body.replace("\r\n", "")
    return ((head.replace("\n", "\r\n") if is_crlf else head) + card.body).encode()


def _parts(text: str) -> tuple[Read, str, str]:
    """Return the metadata, its block, and the text behind it.

    An open fence that never closes is refused: it hides the metadata.
    """
    lines = [line for line in _LINE.findall(text) if line]
    start = next((number for number, line in enumerate(lines) if line.strip()), len(lines))
    if start == len(lines) or lines[start].rstrip("\r\n") != _FENCE:
        return Read({}), "", text
    for end in range(start + 1, len(lines)):
        if lines[end].rstrip("\r\n") == _FENCE:
            block = "".join(lines[start + 1 : end]).replace("\r\n", "\n").replace("\r", "\n")
            found = read_yaml(block, first_line=start + 2)
            return _mapping(found, start), block, "".join(lines[end + 1 :])
    raise DocumentRefused(
        "The metadata begins here and never ends: a line of three hyphens is missing.", line=start + 1
    )


def _mapping(found: Read, start: int) -> Read:
    if found.value is None:
        return Read({})
    if not isinstance(found.value, dict):
        raise DocumentRefused("The metadata must be members with values.", line=start + 2)
    return found


def _members(head: Read) -> Document:
    metadata = head.value
    tags = _texts(head, ("tags",), metadata.get("tags"))
    bases = _texts(head, ("base_model",), metadata.get("base_model"))
    evaluations = _evaluations(head, metadata.get("model-index"))
    return {
        "name": _model_name(head, metadata.get("model-index")),
        "languages": _texts(head, ("language",), metadata.get("language")),
        "tags": tags,
        "licenses": _licenses(head, metadata),
        "architecture": {
            "library": _text(head, "library_name"),
            "task": _text(head, "pipeline_tag"),
            "base_models": bases,
        },
        "training": {"data": [{"name": name} for name in _texts(head, ("datasets",), metadata.get("datasets"))]},
        "evaluations": evaluations,
    }


def _text(head: Read, name: str) -> str:
    value = head.value.get(name)
    return "" if value is None else text_of(head, (name,), value)


def _maybe_text(head: Read, path: Path, document: Document, name: str) -> str | None:
    """Return a text that may be missing; ``1.10`` without quotes is a number, and would lose its zero."""
    value = document.get(name)
    return None if value is None else text_of(head, (*path, name), value)


def _texts(head: Read, path: Path, value: Any) -> list[str]:
    """Return a text, or a list of texts; an empty entry is refused, as generators write ``- null``."""
    if value is None:
        return []
    if isinstance(value, str):
        return [value]
    return [text_of(head, (*path, number), each) for number, each in enumerate(list_of(head, path, value))]


def _licenses(head: Read, metadata: Document) -> list[Document]:
    ids = _texts(head, ("license",), metadata.get("license"))
    name, link = _text(head, "license_name"), _text(head, "license_link")
    found: list[Document] = [{"id": each} for each in ids]
    if name or link:
        found[:1] = [{"id": ids[0] if ids else "", "name": name, "link": link}]
    return found


def _model_name(head: Read, index: Any) -> str:
    entries = [] if index is None else list_of(head, ("model-index",), index)
    if len(entries) > 1:
        raise head.refuse(("model-index", 1), "One card describes one model; this is a second one.")
    if not entries:
        return ""
    path: Path = ("model-index", 0)
    return text_of(head, (*path, "name"), needed(head, path, object_of(head, path, entries[0]), "name"))


def _evaluations(head: Read, index: Any) -> list[Document]:
    entries = [] if index is None else list_of(head, ("model-index",), index)
    found = []
    for number, entry in enumerate(entries):
        path: Path = ("model-index", number, "results")
        results = list_of(head, path, needed(head, path[:2], object_of(head, path[:2], entry), "results"))
        found += [_evaluation(head, (*path, place), each) for place, each in enumerate(results)]
    return found


def _evaluation(head: Read, path: Path, result: Any) -> Document:
    each = object_of(head, path, result)
    task = object_of(head, (*path, "task"), needed(head, path, each, "task"))
    data = object_of(head, (*path, "dataset"), needed(head, path, each, "dataset"))
    source = object_of(head, (*path, "source"), each.get("source") or {})
    metrics = list_of(head, (*path, "metrics"), needed(head, path, each, "metrics"))
    return {
        "task": text_of(head, (*path, "task", "type"), needed(head, (*path, "task"), task, "type")),
        "task_name": _maybe_text(head, (*path, "task"), task, "name"),
        "dataset": _dataset(head, (*path, "dataset"), data),
        "metrics": [_metric(head, (*path, "metrics", place), one) for place, one in enumerate(metrics)],
        "source_name": _maybe_text(head, (*path, "source"), source, "name"),
        "source_url": _maybe_text(head, (*path, "source"), source, "url"),
    }


def _dataset(head: Read, path: Path, data: Document) -> Document:
    return {
        "type": text_of(head, (*path, "type"), needed(head, path, data, "type")),
        "name": text_of(head, (*path, "name"), needed(head, path, data, "name")),
        **{name: _maybe_text(head, path, data, name) for name in ("config", "split", "revision")},
        "args": data.get("args"),
    }


def _metric(head: Read, path: Path, value: Any) -> Document:
    metric = object_of(head, path, value)
    needed(head, path, metric, "value")
    return {
        "type": text_of(head, (*path, "type"), needed(head, path, metric, "type")),
        **{name: _maybe_text(head, path, metric, name) for name in ("name", "config")},
        **{name: metric.get(name) for name in ("value", "args", "verified")},
    }


def _document(card: ModelCard) -> Document:
    """Return the metadata that a card has words for."""
    licence = card.licenses[0] if card.licenses else None
    ids = [each.id for each in card.licenses if each.id]
    results = _results(card.evaluations, card)
    return without_blanks(
        {
            "language": card.languages,
            "license": ids[0] if len(ids) == 1 else ids,
            "license_name": licence.name if licence else "",
            "license_link": licence.link if licence else "",
            "library_name": card.architecture.library,
            "pipeline_tag": card.architecture.task,
            "tags": card.tags,
            "datasets": [each.name for each in card.training.data],
            "base_model": card.architecture.base_models,
            "model-index": [{"name": card.name or "model", "results": results}] if results else [],
        }
    )


def _with_results(metadata: Document, card: ModelCard, beside: Sequence[Evaluation]) -> Document:
    """Return the metadata with results that stood in files of their own, behind those it has."""
    if not beside:
        return metadata
    index = (metadata.get("model-index") or [{"name": card.name or "model", "results": []}])[0]
    results = [*index["results"], *_results(beside, card)]
    return {**metadata, "model-index": [{**index, "results": results}]}


def _results(evaluations: Sequence[Evaluation], card: ModelCard) -> list[Document]:
    """Return the results with a figure; the hub has no place for one without."""
    has_figure = (any(metric.value is not None for metric in each.metrics) for each in evaluations)
    return [_result(each, card) for each in compress(evaluations, has_figure)]


def _result(each: Evaluation, card: ModelCard) -> Document:
    """Return a result with the members that the hub demands, also where the card was read from a form without them."""
    data = each.dataset
    unnamed = next((one.name for one in card.training.data if one.name), "unknown")
    source = {"name": each.source_name, "url": each.source_url}
    return without_blanks(
        {
            "task": without_blanks({"type": each.task or card.architecture.task or "other", "name": each.task_name}),
            "dataset": without_blanks(
                {
                    "type": data.type or data.name or unnamed,
                    "name": data.name or data.type or unnamed,
                    "config": data.config,
                    "split": data.split,
                    "revision": data.revision,
                    "args": data.args,
                }
            ),
            "metrics": [
                _kept_false(
                    {
                        "type": one.type or one.name or "figure",
                        "value": one.value,
                        "name": one.name,
                        "config": one.config,
                        "args": one.args,
                        "verified": one.verified,
                    }
                )
                for one in each.metrics
                if one.value is not None
            ],
            "source": without_blanks(source),
        }
    )


def _kept_false(document: Document) -> Document:
    return {name: value for name, value in document.items() if value is not None}
