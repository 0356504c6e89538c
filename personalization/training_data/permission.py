"""Whom a model may learn from: a logged ``train`` decision for each person, a thousand at a time."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from uuid import UUID

from django.conf import settings

from policies.decisions import information
from policies.decisions.evaluate import BatchEvaluation, Decision
from policies.decisions.information import Information, InformationUnavailable
from policies.decisions.questions import Question

_AT_ONCE = 1_000
_NO_TOKEN = b"\x00"  # a credential's hash is longer


def permitted(people: Iterable[UUID], *, purpose: str, caller: str) -> list[UUID]:
    """Return the people who may be trained on, in their order.

    Each thousand is answered as of one moment, by one statement, and logged by one write before it is used.
    """
    remaining = iter(people)
    found: list[UUID] = []
    while some := list(islice(remaining, _AT_ONCE)):
        found += _permitted(some, purpose, caller)
    return found


def _permitted(people: Sequence[UUID], purpose: str, caller: str) -> Iterator[UUID]:
    known = _read(people)
    batch = BatchEvaluation(caller=caller)
    decisions = [batch.decide(_question(ref, purpose), _about(ref, known)) for ref in people]
    batch.log()
    return (ref for ref, decision in zip(people, decisions, strict=True) if _is_permitted(decision))


_Known = tuple[Information, dict[UUID, Information]]


def _read(people: Sequence[UUID]) -> _Known | None:
    try:
        return information.read_many(people, _NO_TOKEN, b"")
    except InformationUnavailable:
        return None


def _about(ref: UUID, known: _Known | None) -> Information | None:
    return None if known is None else known[1].get(ref, known[0])


def _is_permitted(decision: Decision) -> bool:
    """Return whether all the data may be used: a model learns from all of a person's kinds of data or from none."""
    duties = decision.rendered.verdict.obligations
    return decision.permitted and not any(duty.type == "exclude_categories" for duty in duties)


def _question(ref: UUID, purpose: str) -> Question:
    return Question(
        subject_ref=ref,
        action="train",
        purpose=purpose,
        data_categories=("purchases", "ratings", "views"),
        processing_region=settings.PROCESSING_REGION,
    )
