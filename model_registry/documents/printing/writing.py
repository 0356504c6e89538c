"""Every form in which a kept document is written: those that are read again, and those for people."""

from collections.abc import Mapping
from types import ModuleType

from model_registry.documents import keeping
from model_registry.documents.models import Document
from model_registry.documents.printing import html, pdf

PRINTED: Mapping[str, ModuleType] = {html.NAME: html, pdf.NAME: pdf}
FORMS = (*keeping.FORMS, keeping.NATIVE, *PRINTED)
# Of a file: its suffix and media type.
FILES: Mapping[str, tuple[str, str]] = {
    "huggingface": ("md", "text/markdown; charset=utf-8"),
    "html": ("html", "text/html; charset=utf-8"),
    "pdf": ("pdf", "application/pdf"),
}
_JSON = ("json", "application/json")


def written(row: Document, form: str) -> bytes:
    """Return a kept document in a form. Raises DocumentRefused for a form of another kind."""
    if form in PRINTED:
        document: bytes = PRINTED[form].write(row)
        return document
    return keeping.written(row, form)


def fitting(kind: str) -> list[str]:
    """Return the forms in which a kind of document is written."""
    return [form for form in FORMS if form in PRINTED or form == keeping.NATIVE or keeping.FORMS[form][0] == kind]


def file_of(row: Document, form: str) -> tuple[str, str]:
    """Return the name and the media type of the file of a document."""
    suffix, media_type = FILES.get(form, _JSON)
    return f"{row.version.model.slug}-{row.version.version}-{row.kind}-{row.revision}.{suffix}", media_type
