"""The two clients. They differ in ``await`` only; what they send and read is in ``calls``."""

import asyncio
import logging
import time
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from types import TracebackType
from typing import Any, Self

import httpx

from assent_client import calls
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
from assent_client.calls import Answer, Call
from assent_client.errors import Unavailable
from assent_client.questions import Question
from assent_client.retries import Retries

logger = logging.getLogger(__name__)
_TIMEOUT_S = 2.0
_ASK_AGAIN = 503
_Asked = Question | Mapping[str, Any]
_Person = Mapping[str, Any] | str
_Entity = Mapping[str, Any]


def _options(base_url: str, token: str, timeout_s: float) -> dict[str, Any]:
    return {
        "base_url": base_url.rstrip("/"),
        "headers": {"Authorization": f"Bearer {token}", "Accept": "application/json", "User-Agent": "assent-client"},
        "timeout": httpx.Timeout(timeout_s),
        # A redirect would carry the credential to a place nobody named.
        "follow_redirects": False,
    }


class Assent:
    """Calls that wait for the answer. Safe to share between threads.

    ``timeout_s`` bounds each attempt. ``transport`` replaces the network, for tests.
    """

    def __init__(
        self,
        base_url: str,
        token: str,
        *,
        timeout_s: float = _TIMEOUT_S,
        retries: Retries | None = None,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self._retries = retries or Retries()
        self._http = httpx.Client(transport=transport, **_options(base_url, token, timeout_s))

    def decide(self, question: _Asked, *, explain: bool = False, would_change: bool = False) -> Decision:
        """Ask one question. Raises AssentError; see ``allowed`` for a plain yes or no."""
        return self._send(calls.decide(question, explain=explain, would_change=would_change))

    def decide_many(
        self, questions: Sequence[_Asked], *, explain: bool = False, would_change: bool = False
    ) -> list[Decision]:
        """Ask up to 1,000 questions at once, answered in their order under one state of the rules."""
        return self._send(calls.decide_many(questions, explain=explain, would_change=would_change))

    def allowed(self, question: _Asked, *, fulfils: Collection[str] = ()) -> bool:
        """Whether it is permitted to a caller who fulfils these obligations. Any failure is a no."""
        try:
            return (self.decide(question)).allows(fulfils=fulfils)
        except Exception:
            logger.warning("No answer was had from Assent, so it is a no", exc_info=True)
            return False

    def save_consents(
        self, subject: _Person, choices: Sequence[Mapping[str, Any]], *, idempotency_key: str | None = None, **more: Any
    ) -> Saved:
        """Save choices, once however often it has to be sent. ``more`` are other members of the body."""
        call = calls.save_consents(subject, choices, idempotency_key=idempotency_key, members=more)
        return self._send(call)

    def consent_state(self, subject: _Person) -> ConsentState:
        """What is in force for a person now."""
        return self._send(calls.consent_state(subject))

    def receipt(self, subject: _Person, *, subject_revision: int | None = None) -> Receipt:
        """The signed receipt of a save, of the newest one where no revision is given."""
        return self._send(calls.receipt(subject, subject_revision=subject_revision))

    def send_event(
        self,
        subject: _Person,
        *,
        kind: str,
        item: str,
        event_id: str | None = None,
        occurred_at: datetime | None = None,
        **more: Any,
    ) -> EventTaken:
        """Send one thing a person did; it is stored only if the person allows it."""
        call = calls.send_event(subject, kind=kind, item=item, event_id=event_id, occurred_at=occurred_at, members=more)
        return self._send(call)

    def send_events(self, events: Sequence[Mapping[str, Any]], **shared: Any) -> list[EventAnswer]:
        """Send up to 1,000 things that people did, as members of their bodies; ``shared`` is what they have in common.

        Each is answered in its place: what is wrong with one keeps no other from being stored.
        """
        return self._send(calls.send_events(events, shared))

    def change_items(self, entries: Sequence[Mapping[str, Any]]) -> list[ItemAnswer]:
        """Put, change and remove up to 1,000 items of the catalogue; each entry is answered in its place."""
        return self._send(calls.change_items(entries))

    def item(self, item: str) -> CatalogueItem:
        """An item of the catalogue. Raises NotFound."""
        return self._send(calls.item(item))

    def put_item(self, item: str, **stated: Any) -> CatalogueItem:
        """Add an item, or change what is stated of it; what is left out stays."""
        return self._send(calls.item(item, method="PUT", members=stated))

    def change_item(self, item: str, **stated: Any) -> CatalogueItem:
        """Change what is stated of an item that is there. Raises NotFound."""
        return self._send(calls.item(item, method="PATCH", members=stated))

    def remove_item(self, item: str) -> None:
        """Remove an item from the catalogue, from all lists at once."""
        self._send(calls.remove_item(item))

    def open_request(
        self, subject: _Person, right: str, *, idempotency_key: str | None = None, **more: Any
    ) -> PersonRequest:
        """Open a request of a person about a right, such as ``erasure``; ``more`` are other members of the body."""
        return self._send(calls.open_request(subject, right, idempotency_key=idempotency_key, members=more))

    def requests_of(self, subject: _Person) -> list[PersonRequest]:
        """A person's requests, the newest first."""
        return self._send(calls.requests_of(subject))

    def request(self, subject: _Person, request_id: str) -> PersonRequest:
        """One request of a person."""
        return self._send(calls.show_request(subject, request_id))

    def cancel_request(self, subject: _Person, request_id: str) -> PersonRequest:
        """Cancel a request whose work has not begun."""
        return self._send(calls.change_request(subject, request_id, "cancel"))

    def end_mandate(self, subject: _Person, request_id: str) -> PersonRequest:
        """End the mandate of the agent or guardian who asked for a person."""
        return self._send(calls.change_request(subject, request_id, "end-mandate"))

    def download_request(self, subject: _Person, request_id: str) -> DownloadLink:
        """A single-use address of the files that answer a request."""
        return self._send(calls.download_request(subject, request_id))

    def recommend(self, subject: _Person, *, count: int = 10, **more: Any) -> Recommendations:
        """Recommendations at the highest level the person allows."""
        return self._send(calls.recommend(subject, members={"count": count, **more}))

    def recommend_for_visit(
        self, session: Sequence[str], *, purpose: str, count: int = 10, **more: Any
    ) -> Recommendations:
        """Recommendations for a visitor without a record, from the items of this visit, oldest first."""
        return self._send(calls.recommend_for_visit(session, purpose=purpose, members={"count": count, **more}))

    def general(self, *, count: int = 10, item: str | None = None) -> GeneralList:
        """The list that everybody gets, with ``item`` after what is bought by people who bought it."""
        return self._send(calls.general(count=count, item=item))

    def prices(self, subject: _Person, wanted: Mapping[str, Decimal | str], **more: Any) -> Prices:
        """The prices that a person may be asked, for those that are wanted, by item; ``more`` as in the body."""
        return self._send(calls.prices(subject, wanted, members=more))

    def search_subjects(
        self, subject_type: str, action: str, resource: _Entity, *, limit: int | None = None, token: str | None = None
    ) -> SearchPage:
        """Which subjects of a type may do this with the resource."""
        parts = {"subject": {"type": subject_type}, "action": {"name": action}, "resource": resource}
        return self._send(calls.search("subject", parts, limit=limit, token=token))

    def search_resources(
        self, subject: _Entity, action: str, resource_type: str, *, limit: int | None = None, token: str | None = None
    ) -> SearchPage:
        """Which resources of a type the subject may do this with."""
        parts = {"subject": subject, "action": {"name": action}, "resource": {"type": resource_type}}
        return self._send(calls.search("resource", parts, limit=limit, token=token))

    def search_actions(
        self, subject: _Entity, resource: _Entity, *, limit: int | None = None, token: str | None = None
    ) -> SearchPage:
        """What the subject may do with the resource."""
        parts = {"subject": subject, "resource": resource}
        return self._send(calls.search("action", parts, limit=limit, token=token))

    def purposes(self, *, limit: int | None = None, token: str | None = None) -> ListPage[Purpose]:
        """The purposes in force, up to ``limit`` of them; ``token`` continues an earlier page."""
        return self._send(calls.purposes(limit=limit, token=token))

    def jurisdictions(self, *, limit: int | None = None, token: str | None = None) -> ListPage[Jurisdiction]:
        """The laws in force and their regions, in pages like the purposes."""
        return self._send(calls.jurisdictions(limit=limit, token=token))

    def releases(self, *, limit: int | None = None, token: str | None = None) -> ListPage[Release]:
        """The tables that were released to this party, in pages like the purposes."""
        return self._send(calls.releases(limit=limit, token=token))

    def release_file(self, release: Release) -> bytes:
        """The file of a release, whole. Raises UnreadableAnswer for one that is not what was released."""
        return self._send(calls.release_file(release))

    def release_manifest(self, release: Release) -> str:
        """The signed manifest of a release, a JWS."""
        return self._send(calls.release_manifest(release))

    def levels(self) -> tuple[Level, ...]:
        """The levels of personalization, least first, with their names for people."""
        return self._send(calls.levels())

    def close(self) -> None:
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, raised: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _send(self, call: Call[Answer]) -> Answer:
        tried = 0
        while True:
            tried += 1
            is_last = tried >= self._retries.attempts
            try:
                response = self._http.request(**calls.sent(call))
            except httpx.TransportError as exc:
                if is_last:
                    raise Unavailable("Assent did not answer.") from exc
                time.sleep(self._retries.wait_s(tried))
                continue
            except httpx.HTTPError as exc:
                raise Unavailable("Assent's answer could not be read.") from exc
            if response.status_code != _ASK_AGAIN or is_last:
                return calls.read(call, response)
            time.sleep(self._retries.wait_s(tried, calls.retry_after_s(response)))


class AsyncAssent:
    """The same calls, awaited.

    ``timeout_s`` bounds each attempt. ``transport`` replaces the network, for tests.
    """

    def __init__(
        self,
        base_url: str,
        token: str,
        *,
        timeout_s: float = _TIMEOUT_S,
        retries: Retries | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._retries = retries or Retries()
        self._http = httpx.AsyncClient(transport=transport, **_options(base_url, token, timeout_s))

    async def decide(self, question: _Asked, *, explain: bool = False, would_change: bool = False) -> Decision:
        """Ask one question. Raises AssentError; see ``allowed`` for a plain yes or no."""
        return await self._send(calls.decide(question, explain=explain, would_change=would_change))

    async def decide_many(
        self, questions: Sequence[_Asked], *, explain: bool = False, would_change: bool = False
    ) -> list[Decision]:
        """Ask up to 1,000 questions at once, answered in their order under one state of the rules."""
        return await self._send(calls.decide_many(questions, explain=explain, would_change=would_change))

    async def allowed(self, question: _Asked, *, fulfils: Collection[str] = ()) -> bool:
        """Whether it is permitted to a caller who fulfils these obligations. Any failure is a no."""
        try:
            return (await self.decide(question)).allows(fulfils=fulfils)
        except Exception:
            logger.warning("No answer was had from Assent, so it is a no", exc_info=True)
            return False

    async def save_consents(
        self, subject: _Person, choices: Sequence[Mapping[str, Any]], *, idempotency_key: str | None = None, **more: Any
    ) -> Saved:
        """Save choices, once however often it has to be sent. ``more`` are other members of the body."""
        call = calls.save_consents(subject, choices, idempotency_key=idempotency_key, members=more)
        return await self._send(call)

    async def consent_state(self, subject: _Person) -> ConsentState:
        """What is in force for a person now."""
        return await self._send(calls.consent_state(subject))

    async def receipt(self, subject: _Person, *, subject_revision: int | None = None) -> Receipt:
        """The signed receipt of a save, of the newest one where no revision is given."""
        return await self._send(calls.receipt(subject, subject_revision=subject_revision))

    async def send_event(
        self,
        subject: _Person,
        *,
        kind: str,
        item: str,
        event_id: str | None = None,
        occurred_at: datetime | None = None,
        **more: Any,
    ) -> EventTaken:
        """Send one thing a person did; it is stored only if the person allows it."""
        call = calls.send_event(subject, kind=kind, item=item, event_id=event_id, occurred_at=occurred_at, members=more)
        return await self._send(call)

    async def send_events(self, events: Sequence[Mapping[str, Any]], **shared: Any) -> list[EventAnswer]:
        """Send up to 1,000 things that people did, as members of their bodies; ``shared`` is what they have in common.

        Each is answered in its place: what is wrong with one keeps no other from being stored.
        """
        return await self._send(calls.send_events(events, shared))

    async def change_items(self, entries: Sequence[Mapping[str, Any]]) -> list[ItemAnswer]:
        """Put, change and remove up to 1,000 items of the catalogue; each entry is answered in its place."""
        return await self._send(calls.change_items(entries))

    async def item(self, item: str) -> CatalogueItem:
        """An item of the catalogue. Raises NotFound."""
        return await self._send(calls.item(item))

    async def put_item(self, item: str, **stated: Any) -> CatalogueItem:
        """Add an item, or change what is stated of it; what is left out stays."""
        return await self._send(calls.item(item, method="PUT", members=stated))

    async def change_item(self, item: str, **stated: Any) -> CatalogueItem:
        """Change what is stated of an item that is there. Raises NotFound."""
        return await self._send(calls.item(item, method="PATCH", members=stated))

    async def remove_item(self, item: str) -> None:
        """Remove an item from the catalogue, from all lists at once."""
        await self._send(calls.remove_item(item))

    async def open_request(
        self, subject: _Person, right: str, *, idempotency_key: str | None = None, **more: Any
    ) -> PersonRequest:
        """Open a request of a person about a right, such as ``erasure``; ``more`` are other members of the body."""
        return await self._send(calls.open_request(subject, right, idempotency_key=idempotency_key, members=more))

    async def requests_of(self, subject: _Person) -> list[PersonRequest]:
        """A person's requests, the newest first."""
        return await self._send(calls.requests_of(subject))

    async def request(self, subject: _Person, request_id: str) -> PersonRequest:
        """One request of a person."""
        return await self._send(calls.show_request(subject, request_id))

    async def cancel_request(self, subject: _Person, request_id: str) -> PersonRequest:
        """Cancel a request whose work has not begun."""
        return await self._send(calls.change_request(subject, request_id, "cancel"))

    async def end_mandate(self, subject: _Person, request_id: str) -> PersonRequest:
        """End the mandate of the agent or guardian who asked for a person."""
        return await self._send(calls.change_request(subject, request_id, "end-mandate"))

    async def download_request(self, subject: _Person, request_id: str) -> DownloadLink:
        """A single-use address of the files that answer a request."""
        return await self._send(calls.download_request(subject, request_id))

    async def recommend(self, subject: _Person, *, count: int = 10, **more: Any) -> Recommendations:
        """Recommendations at the highest level the person allows."""
        return await self._send(calls.recommend(subject, members={"count": count, **more}))

    async def recommend_for_visit(
        self, session: Sequence[str], *, purpose: str, count: int = 10, **more: Any
    ) -> Recommendations:
        """Recommendations for a visitor without a record, from the items of this visit, oldest first."""
        return await self._send(calls.recommend_for_visit(session, purpose=purpose, members={"count": count, **more}))

    async def general(self, *, count: int = 10, item: str | None = None) -> GeneralList:
        """The list that everybody gets, with ``item`` after what is bought by people who bought it."""
        return await self._send(calls.general(count=count, item=item))

    async def prices(self, subject: _Person, wanted: Mapping[str, Decimal | str], **more: Any) -> Prices:
        """The prices that a person may be asked, for those that are wanted, by item; ``more`` as in the body."""
        return await self._send(calls.prices(subject, wanted, members=more))

    async def search_subjects(
        self, subject_type: str, action: str, resource: _Entity, *, limit: int | None = None, token: str | None = None
    ) -> SearchPage:
        """Which subjects of a type may do this with the resource."""
        parts = {"subject": {"type": subject_type}, "action": {"name": action}, "resource": resource}
        return await self._send(calls.search("subject", parts, limit=limit, token=token))

    async def search_resources(
        self, subject: _Entity, action: str, resource_type: str, *, limit: int | None = None, token: str | None = None
    ) -> SearchPage:
        """Which resources of a type the subject may do this with."""
        parts = {"subject": subject, "action": {"name": action}, "resource": {"type": resource_type}}
        return await self._send(calls.search("resource", parts, limit=limit, token=token))

    async def search_actions(
        self, subject: _Entity, resource: _Entity, *, limit: int | None = None, token: str | None = None
    ) -> SearchPage:
        """What the subject may do with the resource."""
        parts = {"subject": subject, "resource": resource}
        return await self._send(calls.search("action", parts, limit=limit, token=token))

    async def purposes(self, *, limit: int | None = None, token: str | None = None) -> ListPage[Purpose]:
        """The purposes in force, up to ``limit`` of them; ``token`` continues an earlier page."""
        return await self._send(calls.purposes(limit=limit, token=token))

    async def jurisdictions(self, *, limit: int | None = None, token: str | None = None) -> ListPage[Jurisdiction]:
        """The laws in force and their regions, in pages like the purposes."""
        return await self._send(calls.jurisdictions(limit=limit, token=token))

    async def releases(self, *, limit: int | None = None, token: str | None = None) -> ListPage[Release]:
        """The tables that were released to this party, in pages like the purposes."""
        return await self._send(calls.releases(limit=limit, token=token))

    async def release_file(self, release: Release) -> bytes:
        """The file of a release, whole. Raises UnreadableAnswer for one that is not what was released."""
        return await self._send(calls.release_file(release))

    async def release_manifest(self, release: Release) -> str:
        """The signed manifest of a release, a JWS."""
        return await self._send(calls.release_manifest(release))

    async def levels(self) -> tuple[Level, ...]:
        """The levels of personalization, least first, with their names for people."""
        return await self._send(calls.levels())

    async def aclose(self) -> None:
        await self._http.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, raised: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def _send(self, call: Call[Answer]) -> Answer:
        tried = 0
        while True:
            tried += 1
            is_last = tried >= self._retries.attempts
            try:
                response = await self._http.request(**calls.sent(call))
            except httpx.TransportError as exc:
                if is_last:
                    raise Unavailable("Assent did not answer.") from exc
                await asyncio.sleep(self._retries.wait_s(tried))
                continue
            except httpx.HTTPError as exc:
                raise Unavailable("Assent's answer could not be read.") from exc
            if response.status_code != _ASK_AGAIN or is_last:
                return calls.read(call, response)
            await asyncio.sleep(self._retries.wait_s(tried, calls.retry_after_s(response)))
