"""Archives of documents: read in memory, bounded, and taken in whole or not at all."""

import gzip
import json
import struct
import tarfile
import zipfile
from io import BytesIO, StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from consent.models import Purpose
from model_registry import services
from model_registry.documents import huggingface, keeping
from model_registry.documents.card import ModelCard
from model_registry.documents.files import archives
from model_registry.documents.refusal import DocumentRefused
from model_registry.models import Document, ModelVersion
from tests.helpers import models
from tests.model_registry.documents.test_forms import README

DPIA = json.dumps(models.assessment().model_dump(mode="json")).encode()

RESULTS = b"""- dataset:
    id: Idavidrein/gpqa
    task_id: diamond
    revision: 0a1b
  value: 41.5
  verifyToken: eyJ
  date: 2026-01-15
  source: {url: "https://example.org/logs", name: Logs, user: ana}
  notes: no tools
- dataset: {id: "cais/hle", task_id: hle}
  value: "0.20"
"""


def packed(*files: tuple[str | zipfile.ZipInfo, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, content in files:
            archive.writestr(name, content)
    return out.getvalue()


def link(name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name)
    entry.external_attr = 0o120777 << 16
    return entry


def tarred() -> bytes:
    """A tar with a link that leads out of it."""
    out = BytesIO()
    entry = tarfile.TarInfo("README.md")
    entry.type, entry.linkname = tarfile.SYMTYPE, "/etc/passwd"
    with tarfile.open(fileobj=out, mode="w") as archive:
        archive.addfile(entry)
    return out.getvalue()


def encrypted() -> bytes:
    data = bytearray(packed(("README.md", README)))
    for mark, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        struct.pack_into("<H", data, data.index(mark) + offset, 1)
    return bytes(data)


def test_an_archive_holds_documents_of_several_kinds() -> None:
    found = archives.read(packed(("docs/README.md", README), ("docs/dpia.json", DPIA)))

    assert [(each.kind, each.form) for each in found] == [("card", "huggingface"), ("dpia", "json")]
    assert found[0].source == README


def test_results_in_files_of_their_own_are_figures_of_the_card() -> None:
    (found,) = archives.read(packed(("r/README.md", README), ("r/.eval_results/gpqa.yaml", RESULTS)))

    card = found.document
    alone = huggingface.read(README)
    assert isinstance(card, ModelCard)
    assert card.evaluations[:-2] == alone.evaluations
    first, second = card.evaluations[-2:]
    assert (first.dataset.name, first.dataset.config, first.dataset.revision) == ("Idavidrein/gpqa", "diamond", "0a1b")
    assert (first.source_url, first.source_name) == ("https://example.org/logs", "Logs")
    assert [each.value for each in (*first.metrics, *second.metrics)] == [41.5, "0.20"]
    assert first.metrics[0].args == {
        "verifyToken": "eyJ", "date": "2026-01-15", "notes": "no tools", "source": {"user": "ana"},
    }  # fmt: skip
    assert card.kept["eval-results"] == {"gpqa.yaml": RESULTS.decode()}


def test_a_card_is_written_with_the_results_behind_its_own() -> None:
    (found,) = archives.read(packed(("README.md", README), (".eval_results/gpqa.yaml", RESULTS)))

    written = huggingface.write(found.document)  # type: ignore[arg-type]

    again = huggingface.read(written)
    index, before = (
        again.kept["huggingface"]["model-index"],
        huggingface.read(README).kept["huggingface"]["model-index"],
    )
    assert index[0]["results"][:-2] == before[0]["results"]
    assert [each["metrics"][0]["value"] for each in index[0]["results"][-2:]] == [41.5, "0.20"]
    assert huggingface.write(again) == written


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"PK\x03\x04 and nothing", "no zip archive"),
        (packed(), "1 to 20 files"),
        (packed(*[(f"{number}.json", b"{}") for number in range(21)]), "1 to 20 files"),
        (packed(("../README.md", README)), "leads out"),
        (packed(("/etc/README.md", README)), "leads out"),
        (packed(("..\\README.md", README)), "leads out"),
        (packed(("C:README.md", README)), "leads out"),
        (packed((link("README.md"), b"/etc/passwd")), "Links"),
        (packed(("README.md", README), ("readme.MD", README)), "Two files have this name"),
        (packed(("README.md", README), ("card.json", b"{}")), "two documents of the kind"),
        (packed(("README.md", README), ("run.py", b"")), r"run\.py: This is no document"),
        (packed(("README.md", README), ("inner.zip", packed(("README.md", README)))), "This is no document"),
        (packed(("README.md", README), method=zipfile.ZIP_LZMA), "compression"),
        (encrypted(), "encrypted"),
        (packed(("README.md", b"\n" * (1024 * 1024 + 1))), "Unpacked, the archive is larger"),
        (packed(*[(f"{kind}.json", b" " * 400_000) for kind in ("dpia", "fria", "runbook")]), "no JSON"),
        (packed(("README.md", README), ("dpia.json", b"{{")), r"dpia\.json: line 1"),
        (packed(("README.md", b"---\na: 1\na: 2\n---\n")), "README.md: line 3, a: This member is stated twice"),
        (b"PK\x03\x04" + b"x" * (1024 * 1024), "larger than"),
        (packed((".eval_results/gpqa.yaml", RESULTS)), r"gpqa\.yaml: These results belong to a card"),
        (packed(("README.md", README), ("gpqa.yaml", RESULTS)), "This is no document"),
        (packed(("README.md", README), (".eval_results/a.yaml", b"value: 1")), r"a\.yaml: line 1: This must be a list"),
        (packed(("README.md", README), (".eval_results/a.yaml", b"- value: 1")), r"a\.yaml: line 1, \[0\]: “dataset”"),
        (packed(("README.md", README), (".eval_results/a.yaml", RESULTS.replace(b"value: 41", b"own: 1"))),
         r"a\.yaml: line 1, \[0\]: “value” is missing"),
        (packed(("README.md", README), (".eval_results/a.yaml", RESULTS.replace(b"diamond", b"1.10"))),
         r"a\.yaml: line 3, \[0\]\.dataset\.task_id: This must be a text"),
        (packed(("README.md", README), (".eval_results/a.yaml", b"- &x [*x]")), "Anchors"),
    ],
)  # fmt: skip
def test_an_archive_that_is_wrong_is_refused_with_its_file(data: bytes, says: str) -> None:
    with pytest.raises(DocumentRefused, match=says):
        archives.read(data)


def test_a_bomb_costs_no_more_than_what_may_be_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """Half a gigabyte of line ends in half a megabyte: one byte more than allowed is unpacked, whatever it states."""
    bomb = packed(("README.md", b"\n" * 500_000_000))
    assert len(bomb) < 1024 * 1024
    read: list[int] = []
    whole = zipfile.ZipExtFile.read
    monkeypatch.setattr(zipfile.ZipExtFile, "read", lambda file, size: read.append(size) or whole(file, size))

    with pytest.raises(DocumentRefused, match="Unpacked"):
        archives.read(bomb)
    assert read == [1024 * 1024 + 1]


@pytest.fixture
def version(register_in_force: None) -> ModelVersion:
    model = services.register_model("house", name="House", description="")
    purposes = [Purpose.objects.get(slug="recommendations")]
    return services.register_version(model=model, purposes=purposes, actor="job:training")


def test_all_documents_of_an_archive_are_kept_or_none(version: ModelVersion, tmp_path: Path) -> None:
    file = tmp_path / "documents.zip"
    file.write_bytes(packed(("README.md", README), ("dpia.json", b"{}"), ("runbook.json", b'{"contacts": 1}')))
    with pytest.raises(CommandError, match=r"runbook.json: line 1, contacts"):
        call_command("model", "import", str(version), str(file))
    assert not Document.objects.exists()

    file.write_bytes(packed(("README.md", README), ("dpia.json", DPIA)))
    call_command("model", "import", str(version), str(file), stdout=StringIO())
    assert sorted(Document.objects.values_list("kind", "form")) == [("card", "huggingface"), ("dpia", "json")]
    assert keeping.document_of(Document.objects.get(kind="dpia")) == models.assessment()


def test_a_file_without_end_is_read_as_far_as_it_may(version: ModelVersion) -> None:
    with pytest.raises(CommandError, match="larger than"):
        call_command("model", "import", str(version), "/dev/zero")


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (packed(), "1 to 20 files"),
        (gzip.compress(README), "line 1: This is an archive or compressed file that is no zip"),
        (b"BZh91AY", "archives of documents are zips"),
        (tarred(), "archives of documents are zips"),
        ("---\nlicense: mit\n---\n".encode("utf-16"), "UTF-16 and no UTF-8 text; save it as UTF-8"),
        (b"%PDF-1.7\n", "a PDF, which is written and not read"),
    ],
)
def test_a_file_of_another_kind_is_named(version: ModelVersion, data: bytes, says: str, tmp_path: Path) -> None:
    file = tmp_path / "README.md"
    file.write_bytes(data)

    with pytest.raises(CommandError, match=says):
        call_command("model", "import", str(version), str(file))
    assert not Document.objects.exists()


def test_a_zip_is_no_document_of_a_form(version: ModelVersion, tmp_path: Path) -> None:
    file = tmp_path / "README.md"
    file.write_bytes(packed(("README.md", README)))

    with pytest.raises(CommandError, match="a zip archive, and the form of one document was named"):
        call_command("model", "import", str(version), str(file), "--form", "huggingface")


def test_an_archive_whose_content_is_spoilt_is_refused() -> None:
    data = bytearray(packed(("README.md", README * 20)))
    start = data.index(b"README.md") + len("README.md")
    data[start : start + 20] = b"\xff" * 20

    with pytest.raises(DocumentRefused, match="no zip archive that can be read"):
        archives.read(bytes(data))
