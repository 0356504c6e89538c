"""Templates: of requests that are equal but for the person's id, all else is read once.

Services ask the same question about one person after the other. To read it strictly and to check every member costs
more than to answer it, and the result depends on the id in one place only. So a single question whose body begins with
its subject is looked up without the id (``read``), and what a batch's items share is not read again (``Reader``).

Where anything is unusual a request is read the careful way, by ``requests.question_of``, which also words every fault.
"""

import os
import re
from collections.abc import Callable
from hashlib import blake2b
from typing import Any

import msgspec
from django.conf import settings

from consent.pseudonyms import checked, normal, ref_of_spelling
from policies.decisions.information import NO_SUBJECT
from policies.decisions.memo import ENTRY_BYTES, MIB, Memo
from policies.decisions.questions import Question
from policies.endpoints import wsgi
from policies.endpoints.authzen.faults import Fault, read_as
from policies.endpoints.authzen.requests import ID_CHARACTERS, question_of, resource_type

Document = dict[str, Any]
_Key = tuple[bytes, str]
# Of larger bodies nothing is remembered, so that every entry is small.
_USUAL_BYTES = 4 * 1024
# A body up to the subject's id, as programs write JSON, and an id of characters that mean themselves in a JSON string:
# what stands around the id is then the same document, whatever the id is. A member that is named again further on is
# refused by the strict reading, and so never remembered.
_SUBJECT_FIRST = re.compile(
    rb'(\{"subject": ?\{(?:"type": ?"[^"\\\x00-\x1f]*", ?)?"id": ?")([ !#-\[\]-~]{1,%d})"' % ID_CHARACTERS
)
# Two texts with the same digest cannot be looked for without it.
_DIGEST_KEY = os.urandom(32)


class Template(msgspec.Struct, frozen=True):
    """A question about a person of one type: all of it but who."""

    question: Question
    subject_type: str
    """The type in its one spelling."""
    resource_type: str | None
    body_bytes: int

    def about(self, business_id: str) -> Question:
        """Return the question about a person. Raises ValueError for an id that can name none."""
        if len(business_id) > ID_CHARACTERS:
            raise ValueError("The id is too long.")
        ref = ref_of_spelling(checked(business_id), self.subject_type)
        return msgspec.structs.replace(self.question, subject_ref=ref)


class Asked(msgspec.Struct):
    """A single question as read, and the whole request for a package that reads it in its own way."""

    question: Question | Fault
    resource_type: str | None
    document: Callable[[], Document]
    unseen: tuple[_Key, Template] | None = None


def _size_of(_key: _Key, template: Template) -> int:
    # A character takes four bytes at most, and few of them may have an object of their own.
    return 2 * ENTRY_BYTES + 12 * template.body_bytes


TEMPLATES: Memo[_Key, Template] = Memo(8 * MIB, _size_of)


def read(body: bytes) -> Asked:
    """Read a single question, by its template where there is one. Raises Refused for what is no JSON object."""
    found = _SUBJECT_FIRST.match(body) if len(body) <= _USUAL_BYTES else None
    if found is None:
        return read_document(wsgi.understood(body))
    key = _key(found[1], body[found.end() :])
    template = TEMPLATES.get(key)
    if template is None:
        return _read_unseen(body, key)
    try:
        question = template.about(found[2].decode())
    except ValueError:
        return read_document(wsgi.understood(body))
    return Asked(question, template.resource_type, lambda: wsgi.understood(body))


def _read_unseen(body: bytes, key: _Key) -> Asked:
    document = wsgi.understood(body)
    asked = read_document(document)
    if isinstance(asked.question, Question) and not _depends_on_the_clock(document):
        asked.unseen = key, _template_of(document, asked.question, len(body))
    return asked


def read_document(document: Document) -> Asked:
    """Read a single question the careful way; a fault in it is returned, for callers who may know of it."""
    return Asked(read_as(question_of, document), resource_type(document), lambda: document)


def remember(asked: Asked) -> None:
    """Keep the template of a question whose caller may ask: strangers fill no memory."""
    if asked.unseen is not None:
        TEMPLATES.remember(*asked.unseen)


class Reader:
    """Reads the questions of one request, each by the one before it where they differ in the person's id alone."""

    def __init__(self) -> None:
        self._template: Template | None = None
        self._others: tuple[Any, ...] = ()
        self._subject: Document = {}

    def read(self, document: Document) -> Question:
        """Read a question. Raises ValueError."""
        template, others = self._template, _others(document)
        if template is not None and _are_the_same(others, self._others):
            subject = document.get("subject")
            business_id = subject.get("id") if type(subject) is dict else None
            if type(business_id) is str and {**subject, "id": None} == self._subject:  # type: ignore[dict-item]
                try:
                    return template.about(business_id)
                except ValueError:
                    return question_of(document)
        question = question_of(document)
        self._template, self._others = _template_of(document, question), others
        self._subject = {**document["subject"], "id": None}
        return question


def _others(document: Document) -> tuple[Any, ...]:
    return document.get("action"), document.get("resource"), document.get("context")


def _are_the_same(some: tuple[Any, ...], others: tuple[Any, ...]) -> bool:
    """Say whether these are the very same objects, as the items of a batch hold what they share."""
    return some[0] is others[0] and some[1] is others[1] and some[2] is others[2]


def _template_of(document: Document, question: Question, body_bytes: int = 0) -> Template:
    """Return what is left of a question without the person."""
    nobody = msgspec.structs.replace(question, subject_ref=NO_SUBJECT)
    return Template(nobody, normal(document["subject"]["type"]), resource_type(document), body_bytes)


def _depends_on_the_clock(document: Document) -> bool:
    """Say whether an IAB string is in the question: another day it may be too old."""
    signals = (document.get("context") or {}).get("signals") or {}
    return signals.get("tcf") is not None or signals.get("gpp") is not None


def _key(head: bytes, tail: bytes) -> _Key:
    """Return what a template is found by: all that the reading depends on, but the id and the installation's key."""
    # Valid JSON holds no NUL, so the place of the id is part of the text.
    digest = blake2b(b"%b\0%b" % (head, tail), digest_size=16, key=_DIGEST_KEY).digest()
    return digest, settings.PROCESSING_REGION
