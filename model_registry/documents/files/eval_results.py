"""Evaluation results of the hub that stand next to a README: ``.eval_results/*.yaml`` (hub-docs at 242f4a1e).

A file is a list of figures, each of a data set and one of its tasks. They become evaluations of the card; what a card
has no member for (day, notes, token) stands in the figure's ``args``. The text of each file is kept under
``kept["eval-results"]``.
"""

from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any

from model_registry.documents.card import Evaluation, ModelCard
from model_registry.documents.forms import Document, card_of, list_of, needed, object_of, text_of, without_blanks
from model_registry.documents.reading import Path, Read, decoded, read_yaml
from model_registry.documents.refusal import DocumentRefused

KEPT = "eval-results"
FOLDER = ".eval_results"
SUFFIXES = (".yaml", ".yml")
_DATASET = ("id", "task_id", "revision")
_SOURCE = ("url", "name")


def is_one(name: str) -> bool:
    """Return whether a file of a repository is one of results."""
    path = PurePosixPath(name)
    return path.parent.name == FOLDER and path.suffix.lower() in SUFFIXES


def added(card: ModelCard, files: Mapping[str, bytes]) -> ModelCard:
    """Return a card with the results of some files. Raises DocumentRefused with file and line."""
    texts = {PurePosixPath(name).name: decoded(data) for name, data in files.items()}
    found = [each for name, text in texts.items() for each in _read(name, text)]
    return card.model_copy(update={"evaluations": [*card.evaluations, *found], "kept": {**card.kept, KEPT: texts}})


def of(card: ModelCard) -> list[Evaluation]:
    """Return the evaluations of a card that stand in files next to its README."""
    found = [each for name, text in card.kept.get(KEPT, {}).items() for each in _read(name, text)]
    return [each for each in found if each in card.evaluations]


def _read(name: str, text: str) -> list[Evaluation]:
    try:
        found = read_yaml(text)
        entries = list_of(found, (), found.value)
        members = [_evaluation(found, (number,), each) for number, each in enumerate(entries)]
        return card_of({"evaluations": members}, found).evaluations
    except DocumentRefused as refused:
        raise DocumentRefused(f"{FOLDER}/{name}: {refused.detail}") from None


def _evaluation(found: Read, path: Path, value: Any) -> Document:
    entry = object_of(found, path, value)
    data = object_of(found, (*path, "dataset"), needed(found, path, entry, "dataset"))
    for name in ("id", "task_id"):
        needed(found, (*path, "dataset"), data, name)
    said = {
        name: text_of(found, (*path, "dataset", name), data[name]) for name in _DATASET if data.get(name) is not None
    }
    source = object_of(found, (*path, "source"), entry.get("source") or {})
    origin = {
        f"source_{name}": text_of(found, (*path, "source", name), source[name]) for name in _SOURCE if source.get(name)
    }
    return {
        "dataset": {
            "type": said["id"], "name": said["id"], "config": said["task_id"],
            "revision": said.get("revision"),
        },
        "metrics": [{"value": needed(found, path, entry, "value"), "args": _rest(entry, data, source) or None}],
        **origin,
    }  # fmt: skip


def _rest(entry: Document, data: Document, source: Document) -> Document:
    """Return what is said besides the figure, its data and its source."""
    return without_blanks(
        {
            **{name: value for name, value in entry.items() if name not in ("dataset", "value", "source")},
            "dataset": {name: value for name, value in data.items() if name not in _DATASET},
            "source": {name: value for name, value in source.items() if name not in _SOURCE},
        }
    )
