"""What each method sends and how its answer is read: everything that is the same with and without ``await``."""

import json
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Generic, TypeVar
from urllib.parse import quote

import httpx

from assent_client import answers
from assent_client.answers import (
    CatalogueItem,
    ConsentState,
    Decision,
    DownloadLink,
    EventAnswer,
    EventTaken,
    GeneralList,
    ItemAnswer,
    Jurisdiction,
    Level,
    ListPage,
    PersonRequest,
    Prices,
    Purpose,
    Receipt,
    Recommendations,
    Release,
    Saved,
    SearchPage,
)
from assent_client.errors import AssentError, TooManyRequests, Unavailable, UnreadableAnswer, problem
from assent_client.questions import Question

Answer = TypeVar("Answer")
MAX_QUESTIONS = 1_000


@dataclass(frozen=True)
class Call(Generic[Answer]):
    """One request, safe to send twice: it reads, or it carries a key that makes a repeat harmless."""

    path: str
    body: Any
    read: Callable[[Any], Answer]
    headers: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
    method: str = "POST"
    decode: Callable[[httpx.Response], Any] = lambda response: _json(response)


def decide(question: Question | Mapping[str, Any], *, explain: bool, would_change: bool) -> Call[Decision]:
    body = {**_document(question), "explain": explain, "would_change": would_change}
    return Call("/api/v1/decisions", body, answers.read_decision)


def decide_many(
    questions: Sequence[Question | Mapping[str, Any]], *, explain: bool, would_change: bool
) -> Call[list[Decision]]:
    if not 0 < len(questions) <= MAX_QUESTIONS:
        raise ValueError(f"Ask 1 to {MAX_QUESTIONS} questions at once.")
    items = [_document(question) for question in questions]
    body = {**_taken_out(items), "decisions": items, "explain": explain, "would_change": would_change}
    return Call("/api/v1/decisions", body, lambda document: answers.read_decisions(document, len(items)))


def _document(question: Question | Mapping[str, Any]) -> dict[str, Any]:
    return question.document() if isinstance(question, Question) else dict(question)


def _taken_out(items: list[dict[str, Any]]) -> dict[str, Any]:
    """Take what all questions have in common out of them, so that a thousand fit into one body."""
    first = dict(items[0])
    shared: dict[str, Any] = {
        name: first[name]
        for name in ("subject", "action", "resource", "context")
        if name in first and all(item.get(name) == first[name] for item in items)
    }
    for item in items:
        for name in shared:
            del item[name]
    return shared


def save_consents(
    subject: Mapping[str, Any] | str,
    choices: Sequence[Mapping[str, Any]],
    *,
    idempotency_key: str | None,
    members: Mapping[str, Any],
) -> Call[Saved]:
    body = {"subject": _subject(subject), "choices": [dict(choice) for choice in choices], **members}
    # With a key of its own a save that is sent again is not saved again.
    headers = {"Idempotency-Key": idempotency_key or uuid.uuid4().hex}
    return Call("/api/v1/consents", body, answers.read_saved, headers)


def consent_state(subject: Mapping[str, Any] | str) -> Call[ConsentState]:
    return Call("/api/v1/consents/state", {"subject": _subject(subject)}, answers.read_state)


def receipt(subject: Mapping[str, Any] | str, *, subject_revision: int | None) -> Call[Receipt]:
    body: dict[str, Any] = {"subject": _subject(subject)}
    if subject_revision is not None:
        body["subject_revision"] = subject_revision
    return Call("/api/v1/consents/receipts", body, answers.read_receipt)


def send_event(
    subject: Mapping[str, Any] | str,
    *,
    kind: str,
    item: str,
    event_id: str | None,
    occurred_at: datetime | None,
    members: Mapping[str, Any],
) -> Call[EventTaken]:
    body = {
        # The same id sent again changes nothing, so a new one makes a repeat harmless, too.
        "event_id": event_id or uuid.uuid4().hex,
        "subject": _subject(subject),
        "type": kind,
        "item": item,
        "occurred_at": _moment(occurred_at),
        **members,
    }
    return Call("/api/v1/events", body, answers.read_event)


def change_items(entries: Sequence[Mapping[str, Any]]) -> Call[list[ItemAnswer]]:
    return Call("/api/v1/items/batch", {"items": [dict(entry) for entry in entries]}, answers.read_items)


def send_events(events: Sequence[Mapping[str, Any]], shared: Mapping[str, Any]) -> Call[list[EventAnswer]]:
    subject = {"subject": _subject(shared["subject"])} if "subject" in shared else {}
    bodies = [
        {
            "event_id": uuid.uuid4().hex,
            **event,
            **({"subject": _subject(event["subject"])} if "subject" in event else {}),
            "occurred_at": _moment(event.get("occurred_at")),
        }
        for event in events
    ]
    return Call("/api/v1/events/batch", {**shared, **subject, "events": bodies}, answers.read_events)


def _moment(given: datetime | str | None) -> str:
    moment = given or datetime.now(UTC)
    if isinstance(moment, str):
        return moment
    if moment.tzinfo is None:
        raise ValueError("occurred_at needs a time zone.")
    return moment.isoformat()


def open_request(
    subject: Mapping[str, Any] | str, right: str, *, idempotency_key: str | None, members: Mapping[str, Any]
) -> Call[PersonRequest]:
    headers = {"Idempotency-Key": idempotency_key or uuid.uuid4().hex}
    body = {"subject": _subject(subject), "right": right, **members}
    return Call("/api/v1/requests", body, answers.read_request, headers)


def requests_of(subject: Mapping[str, Any] | str) -> Call[list[PersonRequest]]:
    return Call("/api/v1/requests/list", {"subject": _subject(subject)}, answers.read_requests)


def show_request(subject: Mapping[str, Any] | str, request_id: str) -> Call[PersonRequest]:
    return Call(f"/api/v1/requests/{uuid.UUID(request_id)}", {"subject": _subject(subject)}, answers.read_request)


def change_request(subject: Mapping[str, Any] | str, request_id: str, step: str) -> Call[PersonRequest]:
    path = f"/api/v1/requests/{uuid.UUID(request_id)}/{step}"
    return Call(path, {"subject": _subject(subject)}, answers.read_request)


def download_request(subject: Mapping[str, Any] | str, request_id: str) -> Call[DownloadLink]:
    path = f"/api/v1/requests/{uuid.UUID(request_id)}/download"
    return Call(path, {"subject": _subject(subject)}, answers.read_download)


def recommend(subject: Mapping[str, Any] | str, *, members: Mapping[str, Any]) -> Call[Recommendations]:
    return Call("/api/v1/recommendations", {"subject": _subject(subject), **members}, answers.read_recommendations)


def recommend_for_visit(session: Sequence[str], *, purpose: str, members: Mapping[str, Any]) -> Call[Recommendations]:
    body = {"purpose": purpose, "session": list(session), **members}
    return Call("/api/v1/recommendations/visit", body, answers.read_recommendations)


def general(*, count: int, item: str | None) -> Call[GeneralList]:
    query = {"count": str(count), **({} if item is None else {"item": item})}
    return Call("/api/v1/recommendations/general", None, answers.read_general, query=query, method="GET")


def prices(
    subject: Mapping[str, Any] | str, wanted: Mapping[str, Decimal | str], *, members: Mapping[str, Any]
) -> Call[Prices]:
    items = [{"item": item, "amount": str(amount)} for item, amount in wanted.items()]
    return Call("/api/v1/prices", {"subject": _subject(subject), "items": items, **members}, answers.read_prices)


def item(item: str, *, method: str = "GET", members: Mapping[str, Any] | None = None) -> Call[CatalogueItem]:
    return Call(_place(item), members, answers.read_item, method=method)


def remove_item(item: str) -> Call[None]:
    return Call(_place(item), None, answers.read_nothing, method="DELETE", decode=lambda response: response.content)


def _place(item: str) -> str:
    return f"/api/v1/items/{quote(item, safe='')}"


def releases(*, limit: int | None, token: str | None) -> Call[ListPage[Release]]:
    return _list("releases", answers.read_releases, limit, token)


def release_file(release: Release) -> Call[bytes]:
    path = f"/api/v1/releases/{uuid.UUID(release.release)}/file"

    def read(content: bytes) -> bytes:
        return answers.read_file(content, release.sha256)

    return Call(path, None, read, method="GET", decode=lambda response: response.content)


def release_manifest(release: Release) -> Call[str]:
    path = f"/api/v1/releases/{uuid.UUID(release.release)}/manifest"
    return Call(path, None, str, method="GET", decode=lambda response: response.text)


def search(searched: str, parts: Mapping[str, Any], *, limit: int | None, token: str | None) -> Call[SearchPage]:
    page = {name: value for name, value in (("limit", limit), ("token", token)) if value is not None}
    body = {name: dict(part) for name, part in parts.items()}
    return Call(f"/access/v1/search/{searched}", {**body, **({"page": page} if page else {})}, answers.read_page)


def purposes(*, limit: int | None, token: str | None) -> Call[ListPage[Purpose]]:
    return _list("purposes", answers.read_purposes, limit, token)


def jurisdictions(*, limit: int | None, token: str | None) -> Call[ListPage[Jurisdiction]]:
    return _list("jurisdictions", answers.read_jurisdictions, limit, token)


def levels() -> Call[tuple[Level, ...]]:
    return _list("levels", answers.read_levels, None, None)


def _list(name: str, read: Callable[[Any], Answer], limit: int | None, token: str | None) -> Call[Answer]:
    query = {name: str(value) for name, value in (("limit", limit), ("page_token", token)) if value is not None}
    return Call(f"/api/v1/{name}", None, read, query=query, method="GET")


def sent(call: Call[Any]) -> dict[str, Any]:
    """Return the call as httpx's ``request`` takes it."""
    body = {} if call.body is None else {"json": call.body}
    return {"method": call.method, "url": call.path, "params": call.query, "headers": dict(call.headers), **body}


def _subject(subject: Mapping[str, Any] | str) -> dict[str, Any]:
    return {"id": subject} if isinstance(subject, str) else dict(subject)


def read(call: Call[Answer], response: httpx.Response) -> Answer:
    """Return the answer. Raises the exception that belongs to a refusal."""
    if response.status_code in (200, 201, 204):
        return call.read(call.decode(response))
    raise failure(response)


def failure(response: httpx.Response) -> AssentError:
    if response.status_code >= 500:
        return Unavailable(f"Assent answered {response.status_code}.")
    if not response.status_code >= 400:
        return UnreadableAnswer(f"Assent answered {response.status_code}.")
    try:
        document = _json(response)
    except UnreadableAnswer:
        document = {}
    refused = problem(response.status_code, document if isinstance(document, dict) else {})
    if isinstance(refused, TooManyRequests):
        refused.retry_after_s = retry_after_s(response)
    return refused


def _json(response: httpx.Response) -> Any:
    try:
        return json.loads(response.content)
    except (ValueError, RecursionError):
        raise UnreadableAnswer("The answer is no JSON.") from None


def retry_after_s(response: httpx.Response) -> float | None:
    """The seconds a server asks to wait; dates are not read."""
    told = response.headers.get("Retry-After", "")
    return float(told) if told.isascii() and told.isdecimal() and len(told) < 6 else None
