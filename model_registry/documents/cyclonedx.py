"""CycloneDX ML-BOM 1.6: a model as a component with its ``modelCard``.

Read and written as JSON: the format's Python library drops ``modelCard`` and ``data`` in silence. Figures are texts in
this form too. A licence id is SPDX here, so one that is not is written as a name. What is read and what is written is
checked by the official JSON schema of its version; what that lets pass although it says nothing is refused here.
"""

import json
import re
import uuid
from collections.abc import Mapping
from typing import Any

from model_registry.documents.card import ModelCard
from model_registry.documents.files.json_reading import read_json
from model_registry.documents.files.schema import check_cyclonedx, is_cyclonedx
from model_registry.documents.forms import (
    Document,
    card_of,
    object_of,
    objects_of,
    overlaid,
    without_blanks,
)
from model_registry.documents.reading import Path, Read, decoded

NAME = "cyclonedx"
SPEC_VERSION = "1.6"
_VERSIONS = ("1.5", "1.6", "1.7")
_DATA_TYPES = ("source-code", "configuration", "dataset", "definition", "other")
# Hexadecimal digits of each digest.
_DIGITS = {
    "MD5": 32, "SHA-1": 40, "SHA-256": 64, "SHA-384": 96, "SHA-512": 128, "SHA3-256": 64, "SHA3-384": 96,
    "SHA3-512": 128, "BLAKE2b-256": 64, "BLAKE2b-384": 96, "BLAKE2b-512": 128,
    "Streebog-256": 64, "Streebog-512": 128,
}  # fmt: skip
_SCHEMA = re.compile(r"https?://cyclonedx\.org/schema/bom-(\d\.\d)\.schema\.json\Z")
_APPROACHES = ("supervised", "unsupervised", "reinforcement-learning", "semi-supervised", "self-supervised")
# Ids of the hub in SPDX's spelling; others are written as names.
_SPDX = {
    "apache-2.0": "Apache-2.0", "mit": "MIT", "bsd-3-clause": "BSD-3-Clause", "bsd-2-clause": "BSD-2-Clause",
    "gpl-3.0": "GPL-3.0-only", "lgpl-3.0": "LGPL-3.0-only", "agpl-3.0": "AGPL-3.0-only", "mpl-2.0": "MPL-2.0",
    "cc0-1.0": "CC0-1.0", "cc-by-4.0": "CC-BY-4.0", "cc-by-sa-4.0": "CC-BY-SA-4.0", "cc-by-nc-4.0": "CC-BY-NC-4.0",
}  # fmt: skip
# Names of properties for what is no address or e-mail address, and has no other place.
_REFERENCE, _ADDRESS = "assent:reference", "assent:address"
_CHARACTERS = r"(?:[\w.~!$&'()*+,;=:@/?-]|%[0-9a-fA-F]{2})*"
# Reference of RFC 3987, as the form wants it; other texts are kept as properties.
_IRI = re.compile(
    r"(?:https?://[\w.-]+(?::\d+)?(?=[/?#]|\Z)|(?!https?:)[a-zA-Z][a-zA-Z0-9+.-]*:(?!//)|(?!//)(?![^/?#]*:))"
    rf"{_CHARACTERS}(?:#{_CHARACTERS})?\Z"
)


def read(data: bytes) -> ModelCard:
    """Return the card of a CycloneDX document with one model. Raises DocumentRefused with the line."""
    found = read_json(decoded(data))
    document = object_of(found, (), found.value)
    if document.get("bomFormat") != "CycloneDX":
        raise found.refuse(("bomFormat",), "This must be “CycloneDX”.")
    if document.get("specVersion") not in _VERSIONS:
        raise found.refuse(("specVersion",), f"The version must be one of {', '.join(_VERSIONS)}.")
    named = _SCHEMA.match(str(document.get("$schema", "")))
    if named and named[1] != document["specVersion"]:
        raise found.refuse(("$schema",), f"The schema is of version {named[1]}, the document of another one.")
    check_cyclonedx(found, document["specVersion"])
    path, component = _model(found, document)
    _check(found, path, document, component)
    return card_of({**_members(component), "kept": {NAME: document}}, found)


def _model(found: Read, document: Document) -> tuple[Path, Document]:
    """Return the model with a card: the component that the document is about, or else the only one, at any depth."""
    cards = [(path, each) for path, each in objects_of(document) if "modelCard" in each and "type" in each]
    for path, each in cards:
        if each["type"] != "machine-learning-model":
            raise found.refuse((*path, "type"), "A component with a modelCard must be of type machine-learning-model.")
    mains = [one for one in cards if one[0] == ("metadata", "component")]
    if mains or len(cards) == 1:
        return (mains or cards)[0]
    what = f"There must be one component with a modelCard; there are {len(cards)}."
    hint = " Name the one that this is about as metadata.component." if cards else ""
    raise found.refuse(("components",), what + hint)


def _check(found: Read, path: Path, document: Document, component: Document) -> None:
    """Refuse what the schema takes although it says nothing: a blank name, an empty data set, a dangling reference."""
    if not component["name"].strip():
        raise found.refuse((*path, "name"), "The model needs a name.")
    refs = _refs(found, document)
    for number, each in enumerate(component["modelCard"].get("modelParameters", {}).get("datasets", [])):
        place = (*path, "modelCard", "modelParameters", "datasets", number)
        if not each:
            raise found.refuse(place, "An empty data set says nothing.")
        if "ref" in each and each["ref"] not in refs:
            raise found.refuse((*place, "ref"), "Nothing in this document has this bom-ref.")


def _refs(found: Read, document: Document) -> set[str]:
    """Return the references of a document, whose digests are checked on the way."""
    refs: set[str] = set()
    for path, value in objects_of(document):
        ref = value.get("bom-ref")
        if isinstance(ref, str):
            if ref in refs:
                raise found.refuse((*path, "bom-ref"), "Two parts have the same bom-ref.")
            refs.add(ref)
        if "alg" in value and "content" in value:
            _check_digest(found, path, str(value["alg"]), str(value["content"]))
    return refs


def _check_digest(found: Read, path: Path, name: str, content: str) -> None:
    """Refuse the digest of another length than its name has; the schema takes each length for each name."""
    digits = _DIGITS.get(name)
    if digits and len(content) != digits:
        raise found.refuse((*path, "content"), f"A {name} has {digits} hexadecimal digits.")


def _members(component: Document) -> Document:
    card = component.get("modelCard", {})
    parameters, considerations = card.get("modelParameters", {}), card.get("considerations", {})
    figures = card.get("quantitativeAnalysis", {}).get("performanceMetrics", [])
    return {
        "name": component.get("name", ""),
        "version": component.get("version", ""),
        "overview": component.get("description", ""),
        "owners": _owners(component),
        "licenses": [_licence(each) for each in component.get("licenses", [])],
        "tags": component.get("tags", []),
        "references": [
            *(each.get("url", "") for each in component.get("externalReferences", [])),
            *_properties(card, _REFERENCE),
        ],
        "architecture": {
            "name": parameters.get("modelArchitecture", ""),
            "family": parameters.get("architectureFamily", ""),
            "approach": parameters.get("approach", {}).get("type", ""),
            "task": parameters.get("task", ""),
            "inputs": [each.get("format", "") for each in parameters.get("inputs", [])],
            "outputs": [each.get("format", "") for each in parameters.get("outputs", [])],
        },
        "training": {"data": [_dataset(each) for each in parameters.get("datasets", []) if "ref" not in each]},
        "evaluations": [{"metrics": [_metric(each) for each in figures]}] if figures else [],
        "considerations": {
            "users": considerations.get("users", []),
            "use_cases": considerations.get("useCases", []),
            "limitations": considerations.get("technicalLimitations", []),
            "tradeoffs": considerations.get("performanceTradeoffs", []),
            "ethical": [
                {"name": each.get("name", ""), "mitigation": each.get("mitigationStrategy", "")}
                for each in considerations.get("ethicalConsiderations", [])
            ],
            "fairness": [_renamed(each, _FAIRNESS) for each in considerations.get("fairnessAssessments", [])],
            "environmental": considerations.get("environmentalConsiderations", {}),
        },
    }


_FAIRNESS = {
    "groupAtRisk": "group_at_risk", "benefits": "benefits", "harms": "harms", "mitigationStrategy": "mitigation"
}  # fmt: skip


def _renamed(document: Document, names: Mapping[str, str]) -> Document:
    return {names[name]: value for name, value in document.items() if name in names}


def _properties(document: Document, name: str) -> list[str]:
    return [each.get("value", "") for each in document.get("properties", []) if each.get("name") == name]


def _url(document: Document) -> str:
    """Return an address, which stands in a property where it has not the form's spelling."""
    return str(document.get("url") or next(iter(_properties(document, _ADDRESS)), ""))


def _owners(component: Document) -> list[Document]:
    return [
        {"name": each.get("name", ""), "contact": each.get("email") or each.get("phone", "")}
        for each in component.get("authors", [])
    ]


def _licence(each: Document) -> Document:
    if "expression" in each:
        return {"id": each["expression"]}
    licence = each.get("license", {})
    return {
        "id": licence.get("id", ""),
        "name": licence.get("name", ""),
        "link": _url(licence),
        "text": licence.get("text", {}).get("content", ""),
    }


def _dataset(each: Document) -> Document:
    return {
        "name": each.get("name", ""),
        "type": each.get("type", ""),
        "url": _url(each.get("contents", {})),
        "description": each.get("description", ""),
        "sensitive": each.get("sensitiveData", []),
    }


def _metric(each: Document) -> Document:
    interval = each.get("confidenceInterval")
    return {
        "type": each.get("type", ""),
        "value": each.get("value"),
        "slice": each.get("slice", ""),
        "interval": {"lower": interval.get("lowerBound"), "upper": interval.get("upperBound")} if interval else None,
    }


def write(card: ModelCard) -> bytes:
    """Return the CycloneDX document of a card. Raises DocumentRefused for what the schema has no place for."""
    original = card.kept.get(NAME)
    if original is None:
        document = _envelope(_component(card))
    else:
        if original.get("specVersion") not in _VERSIONS:
            raise Read(original).refuse(("specVersion",), f"The version must be one of {', '.join(_VERSIONS)}.")
        read_before = Read(original)
        check_cyclonedx(read_before, original["specVersion"])  # a card of our own JSON may state any
        path, component = _model(read_before, original)
        theirs = _component(card_of(_members(component), read_before))
        document = _raised(_replaced(original, path, overlaid(component, theirs, _component(card))))
    check_cyclonedx(Read(document), document["specVersion"])
    return json.dumps(document, ensure_ascii=False, indent=2).encode() + b"\n"


def _raised(document: Document) -> Document:
    """Return a document of an older version in ours where it says by now what the older one has no place for."""
    version = document["specVersion"]
    if version >= SPEC_VERSION or is_cyclonedx(document, version):
        return document
    schema = {"$schema": str(document["$schema"]).replace(version, SPEC_VERSION)} if "$schema" in document else {}
    return {**document, **schema, "specVersion": SPEC_VERSION}


def _envelope(component: Document) -> Document:
    serial = uuid.uuid5(uuid.NAMESPACE_URL, json.dumps(component, sort_keys=True))
    return {
        "bomFormat": "CycloneDX",
        "specVersion": SPEC_VERSION,
        "serialNumber": f"urn:uuid:{serial}",
        "version": 1,
        "components": [component],
    }


def _replaced(document: Any, path: Path, value: Any) -> Any:
    if not path:
        return value
    inner = _replaced(document[path[0]], path[1:], value)
    if isinstance(document, list):
        return [inner if number == path[0] else each for number, each in enumerate(document)]
    return {**document, path[0]: inner}


def _component(card: ModelCard) -> Document:
    parameters = {
        "approach": {"type": card.architecture.approach} if card.architecture.approach in _APPROACHES else {},
        "task": card.architecture.task,
        "architectureFamily": card.architecture.family,
        "modelArchitecture": card.architecture.name,
        "datasets": [_data(each) for each in card.training.data],
        "inputs": [{"format": each} for each in card.architecture.inputs],
        "outputs": [{"format": each} for each in card.architecture.outputs],
    }
    figures = [_figure(metric, each.dataset.name) for each in card.evaluations for metric in each.metrics]
    model = {
        "modelParameters": without_blanks(parameters),
        "quantitativeAnalysis": without_blanks({"performanceMetrics": figures}),
        "considerations": without_blanks(_considerations(card)),
        "properties": [{"name": _REFERENCE, "value": each} for each in card.references if not _IRI.match(each)],
    }
    return without_blanks(
        {
            "type": "machine-learning-model",
            "name": card.name if card.name.strip() else "model",
            "version": card.version,
            "description": card.overview,
            "authors": [
                without_blanks({"name": each.name, "email" if "@" in each.contact else "phone": each.contact})
                for each in card.owners
            ],
            "licenses": [_written(each) for each in card.licenses],
            "tags": card.tags,
            "externalReferences": [
                {"type": "documentation", "url": each} for each in card.references if _IRI.match(each)
            ],
        }
    ) | {"modelCard": without_blanks(model)}


def _considerations(card: ModelCard) -> Document:
    said = card.considerations
    back = {ours: theirs for theirs, ours in _FAIRNESS.items()}
    return {
        "users": said.users,
        "useCases": said.use_cases,
        "technicalLimitations": said.limitations,
        "performanceTradeoffs": said.tradeoffs,
        "ethicalConsiderations": [
            without_blanks({"name": each.name, "mitigationStrategy": each.mitigation}) for each in said.ethical
        ],
        "fairnessAssessments": [without_blanks(_renamed(each.model_dump(), back)) for each in said.fairness],
        "environmentalConsiderations": said.environmental,
    }


def _written(licence: Any) -> Document:
    spdx = _SPDX.get(licence.id, licence.id)
    if spdx in _SPDX.values():
        return {"license": without_blanks({"id": spdx, **_address(licence.link)})}
    name = licence.name or licence.id or "see text"
    text = {"content": licence.text} if licence.text else {}
    return {"license": without_blanks({"name": name, **_address(licence.link), "text": text})}


def _address(text: str) -> Document:
    if not text:
        return {}
    return {"url": text} if _IRI.match(text) else {"properties": [{"name": _ADDRESS, "value": text}]}


def _data(each: Any) -> Document:
    return without_blanks(
        {
            "type": each.type if each.type in _DATA_TYPES else "dataset",
            "name": each.name,
            "contents": _address(each.url),
            "description": each.description,
            "sensitiveData": each.sensitive,
        }
    )


def _figure(metric: Any, data: str) -> Document:
    interval = metric.interval
    bounds = {"lowerBound": _said(interval.lower), "upperBound": _said(interval.upper)} if interval else {}
    return without_blanks(
        {
            "type": metric.type or metric.name or "",
            "value": _said(metric.value),
            "slice": metric.slice or data,
            "confidenceInterval": without_blanks(bounds),
        }
    )


def _said(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value)
