"""Data sheets: the seven groups, and Croissant 1.1 that passes the format's own validator and ours."""

import json
from typing import Any

import pytest

from model_registry.documents import croissant
from model_registry.documents.datasheet import GROUPS, QUESTIONS, Answer, DataFile, DataSheet, unanswered
from model_registry.documents.kinds import KINDS
from model_registry.documents.refusal import DocumentRefused

SHEET = DataSheet(
    name="events", description="What people did.", url="https://example.org/events", licence="CC-BY-4.0",
    creators=["Northwind Shop"], published="2026-11-29", version="1.0.0", keywords=["shop"],
    files=[DataFile(name="events.parquet", url="events.parquet", encoding="application/x-parquet", digest="a" * 64)],
    responsible={"dataBiases": "One shop.", "personalSensitiveInformation": ["views"]},
)  # fmt: skip


def test_there_are_57_questions_in_seven_groups() -> None:
    assert [len(asked) for asked in GROUPS.values()] == [4, 16, 12, 4, 6, 7, 8]
    assert len(QUESTIONS) == 57


def test_a_full_sheet_has_a_hundred_and_each_missing_answer_lowers_it() -> None:
    full = SHEET.model_copy(update={"answers": {each: Answer(text="Said.") for each in QUESTIONS}})
    assert (KINDS["datasheet"].score(full), unanswered(full)) == (100, [])

    for question in unanswered(SHEET):
        less = full.model_copy(update={"answers": {**full.answers, question: Answer(text=" ", applies=False)}})
        assert (KINDS["datasheet"].score(less) < 100, unanswered(less)) == (True, [question])
    assert KINDS["datasheet"].score(DataSheet()) == 0


def test_what_is_written_is_read_again() -> None:
    again = croissant.read(croissant.write(SHEET))

    assert again.model_copy(update={"kept": {}}) == SHEET
    changed = again.model_copy(update={"version": "2.0.0"})
    assert json.loads(croissant.write(changed)) == {**again.kept["croissant"], "version": "2.0.0"}


def test_a_set_of_files_is_written_with_its_form() -> None:
    files = [DataFile(name="parts", type="FileSet", encoding="application/x-parquet")]

    assert croissant.read(croissant.write(SHEET.model_copy(update={"files": files}))).files == files


def spoilt(change: Any) -> bytes:
    document = json.loads(croissant.write(SHEET))
    change(document)
    return json.dumps(document, indent=1).encode()


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda document: document.pop("name"), "“name” is missing"),
        (lambda document: document.pop("creator"), "“creator” is missing"),
        (lambda document: document.update(conformsTo="https://mlcommons.org/croissant/1.1"), "exactly"),
        (lambda document: document.update({"@context": "https://schema.org"}), "must be an object"),
        (lambda document: document.update(datePublished="yesterday"), "2026-01-31"),
        (lambda document: document.update({"rai:dataBias": "x"}), "no such member"),
        (lambda document: document["distribution"][0].update(sha256="xyz"), "64 hexadecimal"),
        (lambda document: document["distribution"][0].pop("sha256"), "needs “sha256”"),
        (lambda document: document["distribution"][0].update(sha256=""), "needs “sha256”"),
        (lambda document: (document["distribution"][0].pop("sha256"),
                           document["distribution"][0].update(isLiveDataset=False)), "needs “sha256”"),
        (lambda document: document["distribution"][0].pop("contentUrl"), "contentUrl"),
        (lambda document: document["distribution"][0].update(contentUrl="../../etc/passwd"), "out of its folder"),
        (lambda document: document["distribution"][0].update({"@id": "a b"}), "no space"),
        (lambda document: document["distribution"].append(document["distribution"][0]), "Two nodes"),
        (
            lambda document: document.update(recordSet=[{"@type": "cr:RecordSet", "@id": "r", "field": [
                {"@type": "cr:Field", "@id": "r/a", "source": {"fileObject": {"@id": "gone"}}}]}]),
            "No node has this id",
        ),
    ],
)  # fmt: skip
def test_what_is_wrong_is_refused_with_its_place(change: Any, says: str) -> None:
    with pytest.raises(DocumentRefused) as refused:
        croissant.read(spoilt(change))

    assert says in str(refused.value.detail)


def test_a_live_data_set_needs_no_checksum() -> None:
    def live(document: Any) -> None:
        del document["distribution"][0]["sha256"]
        document["distribution"][0]["isLiveDataset"] = True

    assert croissant.read(spoilt(live)).files[0].digest == ""
