"""POST /access/v1/evaluations: one statement, one revision, one write to the log."""

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from policies.bundles.packages import Package
from policies.decisions.evaluate import BatchEvaluation, Decision
from policies.decisions.information import Information
from policies.decisions.questions import AnyQuestion, Question
from policies.endpoints.authzen import access, single, templates
from policies.endpoints.authzen.faults import Fault, converted, read_as
from policies.endpoints.authzen.requests import Properties, Text, entity_question_of, resource_type

MAX_EVALUATIONS = 1_000
DEFAULTS = ("subject", "action", "resource", "context")
# semantic -> the decision after which nothing more is evaluated
STOPS_AFTER = {"execute_all": None, "deny_on_first_deny": False, "permit_on_first_permit": True}


class _PartialEntity(msgspec.Struct):
    """Default entity of a batch: incomplete as long as no item needs it, its members of the right type."""

    type: Text | msgspec.UnsetType = msgspec.UNSET
    id: Text | msgspec.UnsetType = msgspec.UNSET
    properties: Properties = None


class _PartialAction(msgspec.Struct):
    name: Text | msgspec.UnsetType = msgspec.UNSET
    properties: Properties = None


class Defaults(msgspec.Struct):
    """What the questions of a request share; an item replaces a member whole."""

    subject: _PartialEntity | msgspec.UnsetType = msgspec.UNSET
    action: _PartialAction | msgspec.UnsetType = msgspec.UNSET
    resource: _PartialEntity | msgspec.UnsetType = msgspec.UNSET
    context: Properties = None


class _Options(msgspec.Struct):
    evaluations_semantic: str = "execute_all"


class _Batch(Defaults):
    evaluations: list[dict[str, Any]] = []
    options: _Options | None = None


def answer(document: dict[str, Any], token: str) -> bytes:
    """Return the decisions in the order of the questions as bytes. Raises Refused and SpoolFull."""
    try:
        batch = _read(document)
    except ValueError as exc:
        access.refuse(str(exc), token)
    if not batch.evaluations:
        asked = templates.read_document(document)
        return single.conclude(asked, access.read(single.subject_of(asked), token))
    stop = STOPS_AFTER[batch.options.evaluations_semantic if batch.options else "execute_all"]
    defaults = {name: document[name] for name in DEFAULTS if name in document}
    items = [{**defaults, **item} for item in batch.evaluations]
    return b'{"evaluations":[%s]}' % b",".join(_decisions(items, stop, token))


def _read(document: dict[str, Any]) -> _Batch:
    batch = converted(document, _Batch)
    if len(batch.evaluations) > MAX_EVALUATIONS:
        raise ValueError(f"There are more than {MAX_EVALUATIONS} evaluations; send them in several requests.")
    if batch.options and batch.options.evaluations_semantic not in STOPS_AFTER:
        raise ValueError(f"options.evaluations_semantic must be one of: {', '.join(STOPS_AFTER)}.")
    return batch


def _decisions(items: list[dict[str, Any]], stop: bool | None, token: str) -> list[bytes]:
    batch, answers, known = decide_many(items, token)
    bodies = []
    for answer in answers:
        if isinstance(answer, Fault):
            bodies.append(_fault(answer))
        else:
            bodies.append(answer.repeatable_body if known.repeatable_answers else answer.body)
        if (not isinstance(answer, Fault) and answer.permitted) is stop:
            break
    batch.log()
    return bodies


def decide_many(
    items: list[dict[str, Any]], token: str
) -> tuple[BatchEvaluation, Iterator[Decision | Fault], Information]:
    """Decide the questions one after the other as they are taken; the batch has to be logged before they leave.

    One statement, one revision. The last value is what is known of the caller. Raises Refused.
    """
    reader = templates.Reader()
    questions = [read_as(reader.read, item) for item in items]
    refs = {each.subject_ref for each in questions if isinstance(each, Question)}
    known, people = access.read_many(refs, token)
    batch = BatchEvaluation(caller=access.authorise(known))
    packages = access.packages_in_force(known)
    decisions = (
        _decide(batch, item, read, packages, known if isinstance(read, Fault) else people.get(read.subject_ref, known))
        for item, read in zip(items, questions, strict=True)
    )
    return batch, decisions, known


def _decide(
    batch: BatchEvaluation,
    item: dict[str, Any],
    read: Question | Fault,
    packages: Mapping[str, Package],
    known: Information,
) -> Decision | Fault:
    """Route a question: to the package that its type of resource names, else to the consent package."""
    question: AnyQuestion | Fault = read
    if packages and resource_type(item) in packages:
        question = read_as(entity_question_of, item)
    if isinstance(question, Fault):
        return question
    return batch.decide(question, known)


def _fault(message: str) -> bytes:
    """Return a denial with the fault of an item that is no question; nothing was decided, so nothing is logged."""
    error = {"status": 400, "message": str(message)}
    return msgspec.json.encode({"decision": False, "context": {"error": error}})
