"""POST /access/v1/evaluations: many questions, one statement, one revision, one write to the log."""

from collections.abc import Iterator
from typing import Any

import msgspec

from policies.bundles.loading import LoadedBundle
from policies.decisions.evaluate import BatchEvaluation, Decision
from policies.decisions.facts import Question
from policies.decisions.information import Information
from policies.endpoints.authzen import access, single
from policies.endpoints.authzen.requests import Text, entity_question_of, question_of

MAX_EVALUATIONS = 1_000
DEFAULTS = ("subject", "action", "resource", "context")
# semantic -> the decision after which nothing more is evaluated
STOPS_AFTER = {"execute_all": None, "deny_on_first_deny": False, "permit_on_first_permit": True}


class _PartialEntity(msgspec.Struct):
    """Default entity of a batch: incomplete as long as no item needs it, its members of the right type."""

    type: Text | msgspec.UnsetType = msgspec.UNSET
    id: Text | msgspec.UnsetType = msgspec.UNSET
    properties: dict[str, Any] | None = None


class _PartialAction(msgspec.Struct):
    name: Text | msgspec.UnsetType = msgspec.UNSET
    properties: dict[str, Any] | None = None


class _Options(msgspec.Struct):
    evaluations_semantic: str = "execute_all"


class _Batch(msgspec.Struct):
    evaluations: list[dict[str, Any]]
    subject: _PartialEntity | msgspec.UnsetType = msgspec.UNSET
    action: _PartialAction | msgspec.UnsetType = msgspec.UNSET
    resource: _PartialEntity | msgspec.UnsetType = msgspec.UNSET
    context: dict[str, Any] | None = None
    options: _Options | None = None


def answer(document: dict[str, Any], token: str) -> bytes:
    """Return the decisions in the order of the questions as bytes. Raises Refused and SpoolFull."""
    if document.get("evaluations", []) == []:
        return single.answer(document, token)
    try:
        batch = _read(document)
    except ValueError as exc:
        access.refuse(str(exc), token)
    stop = STOPS_AFTER[batch.options.evaluations_semantic if batch.options else "execute_all"]
    defaults = {name: document[name] for name in DEFAULTS if name in document}
    items = [{**defaults, **item} for item in batch.evaluations]
    return b'{"evaluations":[%s]}' % b",".join(_decisions(items, stop, token))


def _read(document: dict[str, Any]) -> _Batch:
    batch = msgspec.convert(document, _Batch)
    if len(batch.evaluations) > MAX_EVALUATIONS:
        raise ValueError(f"There are more than {MAX_EVALUATIONS} evaluations; send them in several requests.")
    if batch.options and batch.options.evaluations_semantic not in STOPS_AFTER:
        raise ValueError(f"options.evaluations_semantic must be one of: {', '.join(STOPS_AFTER)}.")
    return batch


class Fault(str):
    """Description of an item that is no question."""

    __slots__ = ()


def _decisions(items: list[dict[str, Any]], stop: bool | None, token: str) -> list[bytes]:
    sheet, answers = decide_many(items, token)
    bodies = []
    for answer in answers:
        bodies.append(_fault(answer) if isinstance(answer, Fault) else answer.body)
        if (not isinstance(answer, Fault) and answer.permitted) is stop:
            break
    sheet.log()
    return bodies


def decide_many(items: list[dict[str, Any]], token: str) -> tuple[BatchEvaluation, Iterator[Decision | Fault]]:
    """Decide the questions one after the other as they are taken; the sheet has to be logged before they leave.

    One statement, one revision. Raises Refused.
    """
    questions = [_question(item) for item in items]
    refs = {question.subject_ref for question in questions if isinstance(question, Question)}
    known, people = access.read_many(refs, token)
    sheet = BatchEvaluation(caller=access.authorise(known))
    return sheet, _answers(sheet, items, questions, known, people)


def _question(item: dict[str, Any]) -> Question | Fault:
    try:
        return question_of(item)
    except ValueError as exc:
        return Fault(str(exc))


def _answers(
    sheet: BatchEvaluation,
    items: list[dict[str, Any]],
    questions: list[Question | Fault],
    known: Information,
    people: dict[Any, Information],
) -> Iterator[Decision | Fault]:
    bundle = access.bundle_in_force(known)
    for item, question in zip(items, questions, strict=True):
        package = access.package_for(item, bundle)
        if bundle is not None and package is not None:
            yield _entity_answer(sheet, item, bundle)
        elif isinstance(question, Fault):
            yield question
        else:
            yield sheet.decide(question, people.get(question.subject_ref, known))


def _entity_answer(sheet: BatchEvaluation, item: dict[str, Any], bundle: LoadedBundle) -> Decision | Fault:
    try:
        question = entity_question_of(item)
    except ValueError as exc:
        return Fault(str(exc))
    return sheet.decide_entities(question, bundle.packages[question.resource_type], bundle)


def _fault(message: str) -> bytes:
    """Return a denial with the fault of an item that is no question; nothing was decided, so nothing is logged."""
    error = {"status": 400, "message": str(message)}
    return msgspec.json.encode({"decision": False, "context": {"error": error}})
