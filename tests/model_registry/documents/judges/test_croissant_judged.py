"""Data sheets as we write them, judged by mlcroissant, the format's own library."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from model_registry.documents import croissant
from model_registry.documents.datasheet import DataFile, DataSheet
from tests.helpers.judges import judge
from tests.model_registry.documents.test_cards_of_others import FIELD, sheet
from tests.model_registry.documents.test_datasheets import SHEET

ISSUES = Path(__file__).with_name("croissant_issues.py")
_ODD = DataSheet(
    name="Ventes d'été 2026", description="Ligne 1\nLigne 2 \u201eé\u201c 中文", url="https://example.org/é?a=b#c",
    licence="https://example.org/terms", creators=["Ana", "Åse & Co"], published="2026-02-28", version="2026.11",
    cite_as="@misc{x}", keywords=["a", "b"],
    files=[
        DataFile(name="two words.csv", url="data/two%20words.csv", encoding="text/csv", size="12 B", digest="b" * 64),
        DataFile(name="events", url="https://example.org/e.zip", encoding="application/zip", digest="c" * 64),
    ],
    responsible={"dataCollection": "On the site.", "dataUseCases": ["ranking"], "annotationsPerItem": "1"},
)  # fmt: skip
_BARE = DataSheet(
    name="d", description="D.", url="https://example.org", licence="CC0-1.0", creators=["A"], published="2026-01-01",
    version="1.0.0",
    files=[DataFile(name="a.csv", url="a.csv", encoding="text/csv", digest="d" * 64)],
)  # fmt: skip
_FAULTS: dict[str, tuple[Callable[[Any], object], str]] = {
    "no address of a file": (lambda found: found["distribution"][0].pop("contentUrl"), "contentUrl"),
    "no encoding": (lambda found: found["distribution"][0].pop("encodingFormat"), "encodingFormat"),
    "no checksum": (lambda found: found["distribution"][0].pop("sha256"), "sha256"),
    "no type of a field": (lambda found: found.update(recordSet=[FIELD]), "dataType"),
    "a day that is none": (lambda found: found.update(datePublished="yesterday"), "yesterday"),
    "an id with a blank": (lambda found: found["distribution"][0].update({"@id": "a b"}), "a b"),
    "https in conformsTo": (
        lambda found: found.update(conformsTo="https://mlcommons.org/croissant/1.1"), "conform"),
    "a creator that is a text": (lambda found: found.update(creator="Shop"), "creator"),
}  # fmt: skip


def judged(*documents: Any) -> Any:
    """What mlcroissant finds in each document."""
    return judge("mlcroissant").run(ISSUES, documents)


def test_mlcroissant_finds_nothing_wrong_in_what_we_write() -> None:
    imported = croissant.read(sheet(lambda document: document.update(own={"a": [1]})))
    sheets = [SHEET, _ODD, _BARE, imported.model_copy(update={"version": "2.0.0"})]

    found = judged(*(json.loads(croissant.write(each)) for each in sheets))

    assert [each["errors"] for each in found] == [[]] * len(sheets)
    assert found[1]["warnings"] == []
    assert {warning.split("/")[-1] for each in found for warning in each["warnings"]} <= {
        'citeAs" is recommended, but does not exist.'
    }


def test_mlcroissant_finds_each_planted_fault() -> None:
    spoilt = [json.loads(sheet(change)) for change, _ in _FAULTS.values()]

    found = dict(zip(_FAULTS, judged(*spoilt), strict=True))

    missed = [name for name, (_, says) in _FAULTS.items() if says not in "".join(found[name]["errors"])]
    assert missed == [], found
