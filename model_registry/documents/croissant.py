"""Data sheets as Croissant 1.1 JSON-LD with the RAI 1.0 vocabulary (croissant at 401f6fff).

What the format's own library lets pass is refused here: a missing name, description, address or creator, a checksum
that is none, two nodes of one id, a path that leads out of its folder, a misspelt ``rai:`` member.
"""

import json
import re
from collections.abc import Iterator
from datetime import date
from typing import Any

from pydantic import ValidationError

from model_registry.documents.datasheet import DataSheet
from model_registry.documents.files.json_reading import read_json
from model_registry.documents.forms import Document, list_of, object_of, objects_of, overlaid, text_of, without_blanks
from model_registry.documents.reading import Path, Read, decoded
from model_registry.documents.refusal import DocumentRefused

NAME = "croissant"
CONFORMS = "http://mlcommons.org/croissant/1.1"
_ACCEPTED = (CONFORMS, "http://mlcommons.org/croissant/1.0")
_REQUIRED = ("name", "description", "url", "license", "creator", "datePublished")
_RAI = {
    f"rai:{name}"
    for name in (
        "dataCollection", "dataCollectionType", "dataCollectionMissingData", "dataCollectionRawData",
        "dataCollectionTimeframe", "dataImputationProtocol", "dataManipulationProtocol", "dataPreprocessingProtocol",
        "dataAnnotationProtocol", "dataAnnotationPlatform", "dataAnnotationAnalysis", "dataReleaseMaintenancePlan",
        "dataSocialImpact", "dataBiases", "dataLimitations", "dataUseCases", "annotationsPerItem",
        "annotatorDemographics", "machineAnnotationTools", "personalSensitiveInformation",
    )
}  # fmt: skip
_CONTEXT: Document = {
    "@language": "en", "@vocab": "https://schema.org/", "citeAs": "cr:citeAs", "column": "cr:column",
    "conformsTo": "dct:conformsTo", "cr": "http://mlcommons.org/croissant/", "rai": "http://mlcommons.org/croissant/RAI/",
    "data": {"@id": "cr:data", "@type": "@json"}, "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/", "equivalentProperty": "cr:equivalentProperty",
    "examples": {"@id": "cr:examples", "@type": "@json"}, "extract": "cr:extract",
    "field": "cr:field", "fileProperty": "cr:fileProperty", "fileObject": "cr:fileObject", "fileSet": "cr:fileSet",
    "format": "cr:format", "includes": "cr:includes", "isLiveDataset": "cr:isLiveDataset", "jsonPath": "cr:jsonPath",
    "key": "cr:key", "md5": "cr:md5", "parentField": "cr:parentField", "path": "cr:path", "recordSet": "cr:recordSet",
    "references": "cr:references", "regex": "cr:regex", "repeated": "cr:repeated", "replace": "cr:replace",
    "samplingRate": "cr:samplingRate", "sc": "https://schema.org/", "separator": "cr:separator", "source": "cr:source",
    "subField": "cr:subField", "transform": "cr:transform",
}  # fmt: skip


def read(data: bytes) -> DataSheet:
    """Return the sheet of a Croissant document. Raises DocumentRefused with the line."""
    found = read_json(decoded(data))
    document = object_of(found, (), found.value)
    _check_head(found, document)
    _check_creators(found, document)
    _check_ids(found, document)
    _check_fields(found, document)
    members = _members(found, document)
    try:
        return DataSheet.model_validate({**members, "kept": {NAME: document}})
    except ValidationError as exc:
        error = exc.errors(include_input=False, include_url=False)[0]
        theirs = dict(_HEAD).get(str(error["loc"][0]))
        if theirs:
            raise found.refuse((theirs,), error["msg"] + ".") from None
        raise DocumentRefused(error["msg"] + ".", line=1, member=".".join(map(str, error["loc"]))) from None


def _check_head(found: Read, document: Document) -> None:
    _check_context(found, document)
    if document.get("conformsTo") not in _ACCEPTED:
        raise found.refuse(("conformsTo",), f"This must be exactly {CONFORMS}.")
    if document.get("@type") not in ("sc:Dataset", "Dataset", "https://schema.org/Dataset"):
        raise found.refuse(("@type",), "The document must be a sc:Dataset.")
    for name in _REQUIRED:
        if not document.get(name):
            raise found.refuse((), f"“{name}” is missing.")
    for name in document:
        if name.startswith("rai:") and name not in _RAI:
            raise found.refuse((name,), "The RAI vocabulary has no such member.")
    if not _is_day(text_of(found, ("datePublished",), document["datePublished"])[:10]):
        raise found.refuse(("datePublished",), "The date must be written as 2026-01-31.")


def _check_creators(found: Read, document: Document) -> None:
    creators = document["creator"]
    for number, each in enumerate(creators if isinstance(creators, list) else [creators]):
        if not isinstance(each, dict) or not each.get("name"):
            at: Path = ("creator", number) if isinstance(creators, list) else ("creator",)
            raise found.refuse(at, "A creator is a sc:Person or a sc:Organization with a name.")


def _check_context(found: Read, document: Document) -> None:
    context = object_of(found, ("@context",), document.get("@context"))
    for name in ("sc", "@vocab"):
        if str(context.get(name, "")).startswith("http://schema.org"):
            raise found.refuse(("@context", name), "Write https://schema.org/: the format's reader refuses this one.")


def _is_day(text: str) -> bool:
    try:
        return re.fullmatch(r"\d{4}-\d\d-\d\d", text) is not None and bool(date.fromisoformat(text))
    except ValueError:
        return False


def _check_fields(found: Read, document: Document) -> None:
    """Refuse a field whose type nothing says."""
    for place, each in enumerate(list_of(found, ("recordSet",), document.get("recordSet", []))):
        path: Path = ("recordSet", place)
        fields = object_of(found, path, each).get("field", [])
        for number, one in enumerate(fields if isinstance(fields, list) else [fields]):
            at = (*path, "field", number)
            if not {"dataType", "subField", "parentField"} & object_of(found, at, one).keys():
                raise found.refuse(at, "A field needs “dataType”.")


def _check_ids(found: Read, document: Document) -> None:
    """Refuse an id that two nodes have, one with a space, and a source that names no node."""
    known: set[str] = set()
    nodes = [(path, node) for path, node in _nodes(document) if node.get("@id") is not None]
    for path, node in nodes:
        ident = text_of(found, (*path, "@id"), node["@id"])
        if " " in ident:
            raise found.refuse((*path, "@id"), "An id has no space in it.")
        if _is_source(node):
            continue
        if ident in known:
            raise found.refuse((*path, "@id"), "Two nodes have this id.")
        known.add(ident)
    for path, node in nodes:
        if _is_source(node) and node["@id"] not in known:
            raise found.refuse((*path, "@id"), "No node has this id.")


def _is_source(node: Document) -> bool:
    return "@type" not in node and "name" not in node


def _nodes(document: Document) -> Iterator[tuple[Path, Document]]:
    """Yield the objects of a document but its context with their paths."""
    yield from objects_of({name: value for name, value in document.items() if name != "@context"})


_HEAD = (
    ("name", "name"), ("description", "description"), ("url", "url"), ("licence", "license"),
    ("published", "datePublished"), ("version", "version"), ("cite_as", "citeAs"),
)  # fmt: skip


def _members(found: Read, document: Document) -> Document:
    files = list_of(found, ("distribution",), document.get("distribution", []))
    return {
        **{ours: text_of(found, (theirs,), document.get(theirs) or "") for ours, theirs in _HEAD},
        "creators": _names(found, ("creator",), document.get("creator")),
        "keywords": _names(found, ("keywords",), document.get("keywords")),
        "files": [_file(found, ("distribution", number), each) for number, each in enumerate(files)],
        "responsible": {
            name.removeprefix("rai:"): value if isinstance(value, list) else text_of(found, (name,), value)
            for name, value in document.items()
            if name.startswith("rai:")
        },
    }


def _names(found: Read, path: Path, value: Any) -> list[str]:
    """Return texts, or the names of persons and organisations; the format's own writer turns one into no list."""
    if value is None:
        return []
    return [
        each if isinstance(each, str) else text_of(found, path, object_of(found, path, each).get("name"))
        for each in (value if isinstance(value, list) else [value])
    ]


def _file(found: Read, path: Path, value: Any) -> Document:
    each = object_of(found, path, value)
    if each.get("@type") in ("cr:FileSet", "FileSet"):
        return {"name": text_of(found, path, each.get("@id") or each.get("name") or ""), "type": "FileSet"}
    for name in ("contentUrl", "encodingFormat"):
        if not each.get(name):
            raise found.refuse(path, f"A file needs “{name}”.")
    url = text_of(found, (*path, "contentUrl"), each["contentUrl"])
    if ".." in url.split("/") or url.startswith("/"):
        raise found.refuse((*path, "contentUrl"), "The path leads out of its folder.")
    digest = text_of(found, (*path, "sha256"), each.get("sha256", "")).lower()
    if digest and not re.fullmatch(r"[0-9a-f]{64}", digest):
        raise found.refuse((*path, "sha256"), "A SHA-256 has 64 hexadecimal digits.")
    md5 = text_of(found, (*path, "md5"), each.get("md5", ""))
    if md5 and not re.fullmatch(r"[0-9a-fA-F]{32}", md5):
        raise found.refuse((*path, "md5"), "An MD5 has 32 hexadecimal digits.")
    if not digest and not each.get("md5") and not each.get("isLiveDataset"):
        raise found.refuse(path, "A file needs “sha256”, unless it is a live data set.")
    return {
        "name": text_of(found, path, each.get("name") or each.get("@id") or ""),
        "url": url,
        "encoding": text_of(found, (*path, "encodingFormat"), each["encodingFormat"]),
        "size": text_of(found, (*path, "contentSize"), each.get("contentSize") or ""),
        "digest": digest,
    }


def write(sheet: DataSheet) -> bytes:
    """Return the Croissant document of a sheet. Raises DocumentRefused where the format demands what it lacks."""
    original = sheet.kept.get(NAME)
    if original is None:
        document = {"@context": _CONTEXT, "@type": "sc:Dataset", "conformsTo": CONFORMS, **_document(sheet)}
    else:
        theirs = _document(DataSheet.model_validate(_members(Read(original), original)))
        document = overlaid(original, theirs, _document(sheet))
    data = json.dumps(document, ensure_ascii=False, indent=2).encode() + b"\n"
    read(data)  # what we write passes what we read
    return data


def _document(sheet: DataSheet) -> Document:
    return without_blanks(
        {
            "name": sheet.name,
            "description": sheet.description,
            "url": sheet.url,
            "license": sheet.licence,
            "creator": [{"@type": "sc:Organization", "name": name} for name in sheet.creators],
            "datePublished": sheet.published,
            "version": sheet.version,
            "citeAs": sheet.cite_as,
            "keywords": sheet.keywords,
            "distribution": [_written(each) for each in sheet.files],
            **{f"rai:{name}": value for name, value in sheet.responsible.items()},
        }
    )


def _written(each: Any) -> Document:
    if each.type == "FileSet":
        return {"@type": "cr:FileSet", "@id": each.name}
    return without_blanks(
        {
            "@type": "cr:FileObject",
            "@id": each.name.replace(" ", "-"),
            "name": each.name,
            "contentUrl": each.url,
            "contentSize": each.size,
            "encodingFormat": each.encoding,
            "sha256": each.digest,
        }
    )
