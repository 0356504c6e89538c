"""Keep documents of versions: read, append a revision, compare revisions, write in a form."""

import difflib
import json
from collections.abc import Callable, Iterator, Mapping
from types import ModuleType
from typing import Any

from django.db import transaction
from django.db.models import Max
from pydantic import BaseModel, ValidationError

from audit import trail
from common import actors, policy_data
from common.canonical import sha256
from model_registry import reopening
from model_registry.documents import basis, croissant, cyclonedx, huggingface, toolkit
from model_registry.documents.files.json_reading import read_json
from model_registry.documents.kinds import KINDS
from model_registry.documents.models import Document
from model_registry.documents.reading import decoded
from model_registry.documents.refusal import DocumentRefused, path_of
from model_registry.models import ModelVersion

NATIVE = "json"
# Forms by name: the kind of document they hold, and the module that reads and writes them.
FORMS: Mapping[str, tuple[str, ModuleType]] = {
    huggingface.NAME: ("card", huggingface),
    toolkit.NAME: ("card", toolkit),
    cyclonedx.NAME: ("card", cyclonedx),
    croissant.NAME: ("datasheet", croissant),
}


def guess_form(name: str, data: bytes) -> str:
    """Return the form of a file by its name and its first members; our own JSON where nothing else fits."""
    if name.lower().endswith((".md", ".markdown")):
        return huggingface.NAME
    head = data[:4_096]
    for mark, form in ((b'"bomFormat"', cyclonedx.NAME), (b'"conformsTo"', croissant.NAME)):
        if mark in head:
            return form
    is_toolkit = any(mark in head for mark in (b'"model_details"', b'"schema_version"', b'"model_parameters"'))
    return toolkit.NAME if is_toolkit else NATIVE


def read(data: bytes, form: str, kind: str = "card") -> tuple[str, BaseModel]:
    """Return the kind of a document and the document. Raises DocumentRefused with the line."""
    if form in FORMS:
        found, module = FORMS[form]
        return found, module.read(data)
    if form != NATIVE:
        raise DocumentRefused(f"There is no form “{form}”. There are: {', '.join((*FORMS, NATIVE))}.")
    if kind not in KINDS:
        raise DocumentRefused(f"There is no kind “{kind}”. There are: {', '.join(KINDS)}.")
    document = read_json(decoded(data))
    try:
        return kind, KINDS[kind].model.model_validate(document.value)
    except ValidationError as exc:
        error = exc.errors(include_input=False, include_url=False)[0]
        where = tuple(error["loc"])
        line = document.refuse(where, "").line
        raise DocumentRefused(f"{error['msg']}.", line=line, member=path_of(where)) from None


@transaction.atomic
def keep(
    version: ModelVersion,
    kind: str,
    document: BaseModel,
    *,
    actor: str,
    form: str = "",
    source: bytes | None = None,
) -> Document:
    """Append a revision of a document. What is equal to the newest revision, over the same facts, is not kept again."""
    policy_data.take_turn()
    version = ModelVersion.objects.select_for_update(of=("self",)).select_related("model").get(pk=version.pk)
    content = document.model_dump(mode="json")
    digest = sha256(json.dumps(content, sort_keys=True, ensure_ascii=False).encode())
    over, newest = basis.digest(version), current(version, kind)
    if newest is not None and bytes(newest.sha256) == digest and bytes(newest.basis) == over:
        return newest
    last = version.documents.filter(kind=kind).aggregate(last=Max("revision"))["last"] or 0
    kept = Document.objects.create(
        version=version, kind=kind, revision=last + 1, content=content, sha256=digest, form=form, source=source,
        basis=over, score=KINDS[kind].score(document), made_by=str(actor),
        author_id=actors.account_of(actor),
    )  # fmt: skip
    details = {"kind": kind, "revision": kept.revision, "sha256": digest.hex(), "score": kept.score, "form": form}
    trail.record("model.document", str(version), actor=actor, details=details)
    if kind in reopening.KINDS:
        reopening.follow(f"{kind} of model {version}", actor)
    version.publish_if_in_bundle(reason=f"{kind} of model {version}, revision {kept.revision}", actor=actor)
    return kept


def current(version: ModelVersion, kind: str) -> Document | None:
    """Return the newest revision of a kind."""
    return version.documents.filter(kind=kind).order_by("-revision").first()


def document_of(row: Document) -> Any:
    """Return a kept document as its model."""
    return KINDS[row.kind].model.model_validate(row.content)


def is_out_of_date(row: Document) -> bool:
    """Return whether what the version may do has changed since the document was made."""
    return bytes(row.basis) != basis.digest(row.version)


def written(row: Document, form: str) -> bytes:
    """Return a kept document in a form. Raises DocumentRefused for a form of another kind."""
    if form == NATIVE:
        return json.dumps(row.content, indent=2, ensure_ascii=False).encode() + b"\n"
    kind, module = FORMS.get(form, ("", None))
    if module is None or kind != row.kind:
        fitting = ", ".join([name for name, (each, _module) in FORMS.items() if each == row.kind] + [NATIVE])
        raise DocumentRefused(f"A {KINDS[row.kind].title.lower()} is not written as “{form}”. It is as: {fitting}.")
    write: Callable[[Any], bytes] = module.write
    return write(document_of(row))


def not_carried(row: Document, form: str, data: bytes) -> list[str]:
    """Return the members of a kept document that say something, and nothing in what was written in a form."""
    if form not in FORMS:
        return []
    again = read(data, form)[1].model_dump(mode="json")
    return list(dict.fromkeys(_lost(document_of(row).model_dump(mode="json"), again, "")))


def _lost(said: Any, again: Any, name: str) -> Iterator[str]:
    if isinstance(said, dict) and isinstance(again, dict):
        for key, value in said.items():
            if key != "kept":
                yield from _lost(value, again.get(key), f"{name}.{key}" if name else key)
    elif isinstance(said, list) and isinstance(again, list) and len(said) == len(again):
        for one, other in zip(said, again, strict=True):
            yield from _lost(one, other, name)
    elif said not in (None, "", [], {}) and (isinstance(said, list) or again in (None, "", [], {})):
        yield name


def difference(before: Document, after: Document) -> list[str]:
    """Return the difference of two revisions, line by line, as ``diff -u`` writes it."""
    old, new = (f"{each.kind} {each.revision}" for each in (before, after))
    return list(difflib.unified_diff(_lines(before), _lines(after), old, new, lineterm=""))


def _lines(row: Document) -> list[str]:
    return json.dumps(row.content, indent=1, sort_keys=True, ensure_ascii=False).split("\n")
