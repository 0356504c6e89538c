"""Data sheets as Croissant 1.1 JSON-LD with the RAI 1.0 vocabulary (croissant at 401f6fff).

What the format's own library lets pass is refused here: a missing name, description, address or creator, a checksum
that is none, two nodes of one id, a path that leads out of its folder, a misspelt ``rai:`` member.
"""

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from typing import Any

from model_registry.documents.datasheet import DataSheet
from model_registry.documents.files.json_reading import read_json
from model_registry.documents.forms import (
    Document,
    made,
    needed,
    object_of,
    objects_of,
    overlaid,
    text_of,
    without_blanks,
)
from model_registry.documents.reading import Path, Read, decoded

NAME = "croissant"
CONFORMS = "http://mlcommons.org/croissant/1.1"
_ACCEPTED = (CONFORMS, "http://mlcommons.org/croissant/1.0")
_REQUIRED = ("name", "description", "url", "license", "creator", "datePublished")
# The two that the format's own reader only recommends: what hubs generate lacks them, and the sheet's score says so.
_RECOMMENDED = ("license", "datePublished")
_MD5 = re.compile(r"[0-9a-fA-F]{32}|[A-Za-z0-9+/]{22}==")
# What hubs write for the checksum of a repository, which has none.
_NO_CHECKSUM = "https://github.com/mlcommons/croissant/issues/80"
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
    _check_kinds(found, document)
    _check_fields(found, document)
    return made(DataSheet, {**_members(found, document), "kept": {NAME: document}}, found)


def _check_head(found: Read, document: Document) -> None:
    _check_context(found, document)
    if document.get("conformsTo") not in _ACCEPTED:
        raise found.refuse(("conformsTo",), f"This must be exactly {CONFORMS}.")
    if document.get("@type") not in ("sc:Dataset", "Dataset", "https://schema.org/Dataset"):
        raise found.refuse(("@type",), "The document must be a sc:Dataset.")
    # Most documents of 1.0 that are published name no creator.
    optional = _RECOMMENDED if document["conformsTo"] == CONFORMS else (*_RECOMMENDED, "creator")
    _check_required(found, document, [name for name in _REQUIRED if name not in optional])
    for name in document:
        if name.startswith("rai:") and name not in _RAI:
            raise found.refuse((name,), "The RAI vocabulary has no such member.")
    published = text_of(found, ("datePublished",), document.get("datePublished") or "")
    if published and not _is_day(published[:10]):
        raise found.refuse(("datePublished",), "The date must be written as 2026-01-31.")


def _check_required(found: Read, document: Document, names: Iterable[str]) -> None:
    for name in names:
        if not document.get(name):
            raise found.refuse((), f"“{name}” is missing.")


def _check_creators(found: Read, document: Document) -> None:
    for path, each in _entries(("creator",), document.get("creator")):
        if not isinstance(each, dict) or not each.get("name"):
            raise found.refuse(path, "A creator is a sc:Person or a sc:Organization with a name.")


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


def _check_kinds(found: Read, document: Document) -> None:
    """Refuse an entry of another kind than its place has."""
    for name, kinds in (("distribution", ("FileObject", "FileSet")), ("recordSet", ("RecordSet",))):
        for path, each in _entries((name,), document.get(name)):
            _check_kind(found, path, each, kinds)
            for at, one in _entries((*path, "field"), each.get("field")):
                _check_kind(found, at, one, ("Field",))


def _check_kind(found: Read, path: Path, node: Any, kinds: Sequence[str]) -> None:
    stated = object_of(found, path, node).get("@type")
    if str(stated).removeprefix("cr:").removeprefix(_CONTEXT["cr"]) not in kinds:
        raise found.refuse((*path, "@type"), f"This must be {' or '.join(f'cr:{kind}' for kind in kinds)}.")


def _check_fields(found: Read, document: Document) -> None:
    """Refuse a field whose type nothing says."""
    for path, each in _entries(("recordSet",), document.get("recordSet")):
        for at, one in _entries((*path, "field"), object_of(found, path, each).get("field")):
            source = object_of(found, at, one).get("source")
            is_derived = isinstance(source, dict) and "field" in source  # it has the type of that field
            if not is_derived and not any(one.get(name) for name in ("dataType", "subField", "parentField")):
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
        if ident in known and not _is_foreign(node):
            raise found.refuse((*path, "@id"), "Two nodes have this id.")
        known.add(ident)
    for path, node in nodes:
        # A key may name its field without the record set, and the format's reader does not look it up.
        if _is_source(node) and node["@id"] not in known and "key" not in path:
            raise found.refuse((*path, "@id"), "No node has this id.")


def _is_source(node: Document) -> bool:
    return "@type" not in node and "name" not in node


def _is_foreign(node: Document) -> bool:
    """Return whether a node is of another vocabulary, such as ``prov:``; these may state one again where it is used."""
    prefix, colon, _name = str(node.get("@type", "")).partition(":")
    return bool(colon) and prefix not in ("cr", "sc", "https", "http")


def _nodes(document: Document) -> Iterator[tuple[Path, Document]]:
    """Yield the objects of a document but its context with their paths."""
    yield from objects_of({name: value for name, value in document.items() if name != "@context"})


def _entries(path: Path, value: Any) -> Iterator[tuple[Path, Any]]:
    """Yield the entries of a member with their paths; one alone may stand without its list, as JSON-LD has it."""
    if isinstance(value, list):
        yield from (((*path, number), each) for number, each in enumerate(value))
    elif value is not None:
        yield path, value


_HEAD = (
    ("name", "name"), ("description", "description"), ("url", "url"), ("licence", "license"),
    ("published", "datePublished"), ("version", "version"), ("cite_as", "citeAs"),
)  # fmt: skip


def _members(found: Read, document: Document) -> Document:
    is_live = bool(document.get("isLiveDataset"))
    return {
        **{ours: _said(found, (theirs,), document.get(theirs)) for ours, theirs in _HEAD},
        "creators": _names(found, ("creator",), document.get("creator")),
        "keywords": _names(found, ("keywords",), document.get("keywords")),
        "files": [
            _file(found, path, each, is_live=is_live)
            for path, each in _entries(("distribution",), document.get("distribution"))
        ],
        "responsible": {
            name.removeprefix("rai:"): value if isinstance(value, list) else text_of(found, (name,), value)
            for name, value in document.items()
            if name.startswith("rai:")
        },
    }


def _names(found: Read, path: Path, value: Any) -> list[str]:
    """Return texts, or the names of persons and organisations; the format's own writer turns one into no list."""
    names: list[str] = []
    for at, each in _entries(path, value):
        said = each if isinstance(each, str) else object_of(found, at, each).get("name")
        names += [text_of(found, at, name) for _place, name in _entries(at, said)]
    return names


def _said(found: Read, path: Path, value: Any) -> str:
    """Return a member of the head as a text: hubs write a licence as an object with a name, and a version as 1."""
    said = []
    for at, each in _entries(path, value):
        if isinstance(each, dict):
            said.append(text_of(found, at, each.get("name") or each.get("url")))
        elif path == ("version",) and isinstance(each, int | float) and not isinstance(each, bool):
            said.append(str(each))
        else:
            said.append(text_of(found, at, each))
    return ", ".join(filter(None, said))


def _file(found: Read, path: Path, value: Any, *, is_live: bool) -> Document:
    each = object_of(found, path, value)
    if str(each.get("@type")).endswith("FileSet"):
        return {
            "name": text_of(found, path, each.get("@id") or each.get("name") or ""),
            "type": "FileSet",
            "encoding": _said(found, (*path, "encodingFormat"), needed(found, path, each, "encodingFormat")),
        }
    is_inside = bool(each.get("containedIn"))  # of another file, which has the address and the checksum
    for name in ("encodingFormat",) if is_inside else ("contentUrl", "encodingFormat"):
        if not each.get(name):
            raise found.refuse(path, f"A file needs “{name}”.")
    url = text_of(found, (*path, "contentUrl"), each.get("contentUrl") or "")
    if ".." in url.split("/") or url.startswith("/"):
        raise found.refuse((*path, "contentUrl"), "The path leads out of its folder.")
    digest = _digest(found, path, each)
    if not (is_inside or is_live or any(each.get(name) for name in ("sha256", "md5", "isLiveDataset"))):
        raise found.refuse(path, "A file needs “sha256”, unless it is a live data set.")
    return {
        "name": text_of(found, path, each.get("name") or each.get("@id") or ""),
        "url": url,
        "encoding": _said(found, (*path, "encodingFormat"), each["encodingFormat"]),
        "size": text_of(found, (*path, "contentSize"), each.get("contentSize") or ""),
        "digest": digest,
    }


def _digest(found: Read, path: Path, each: Document) -> str:
    """Return the SHA-256 of a file, if it states one. Raises DocumentRefused for a checksum that is none."""
    md5 = text_of(found, (*path, "md5"), each.get("md5", ""))
    if md5 and not _MD5.fullmatch(md5):
        raise found.refuse((*path, "md5"), "An MD5 has 32 hexadecimal digits, or 24 characters of Base64.")
    stated = text_of(found, (*path, "sha256"), each.get("sha256", ""))
    digest = "" if stated == _NO_CHECKSUM else stated.lower()
    if digest and not re.fullmatch(r"[0-9a-f]{64}", digest):
        raise found.refuse((*path, "sha256"), "A SHA-256 has 64 hexadecimal digits.")
    return digest


def write(sheet: DataSheet) -> bytes:
    """Return the Croissant document of a sheet. Raises DocumentRefused where the format demands what it lacks."""
    original = sheet.kept.get(NAME)
    if original is None:
        document = {"@context": _CONTEXT, "@type": "sc:Dataset", "conformsTo": CONFORMS, **_document(sheet)}
        _check_required(Read(document), document, _REQUIRED)
    else:
        theirs = _document(made(DataSheet, _members(Read(original), original), Read(original)))
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
        return without_blanks({"@type": "cr:FileSet", "@id": each.name, "encodingFormat": each.encoding})
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
