"""Dates of a request, counted again from its steps whenever one of them may move them."""

from collections.abc import Mapping
from datetime import date, datetime

from consent.register.jurisdictions.clocks import earliest_day
from privacy.rights import deadlines
from privacy.rights.clocks.due import About, Due, Extension, Question, State, due_in
from privacy.rights.clocks.laws import Right
from privacy.rights.models import RightsRequest
from privacy.rights.requests.states import PROVE, Move

_ASKED = {Move.ASK_IDENTITY: About.IDENTITY, Move.ASK_CLARIFICATION: About.CLARIFICATION}
_ANSWERED: Mapping[str, About] = {Move.ACCEPT: About.IDENTITY, PROVE: About.IDENTITY, Move.CLARIFY: About.CLARIFICATION}


def count(request: RightsRequest) -> Due:
    """Write the dates into the request, unsaved, and return them."""
    extension = Extension(request.extended_on, request.extended_until) if request.extended_on else None
    dates = due_in(
        request.region,
        Right(request.right),
        request.received_on,
        deadlines.counting(),
        questions=_questions(request),
        extension=extension,
    )
    request.law = dates.clock.law
    request.first_on, request.due_on, request.latest_on = dates.first, dates.due, dates.latest
    request.confirm_by = dates.confirm_by
    request.has_number = dates.state is not State.NO_NUMBER
    return dates


def local_day(moment: datetime, region: str) -> date:
    return earliest_day(moment, region)


def _questions(request: RightsRequest) -> list[Question]:
    if request._state.adding:  # noqa: SLF001 (Django documents it)
        return []
    questions: list[Question] = []
    for step in request.steps.order_by("id"):
        day = local_day(step.at, request.region)
        if step.move in _ASKED:
            questions.append(Question(_ASKED[Move(step.move)], day))
        about = _ANSWERED.get(step.move)
        questions = [
            Question(each.about, each.asked, day) if each.answered is None and each.about is about else each
            for each in questions
        ]
    return questions
