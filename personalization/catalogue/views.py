"""Endpoints of the catalogue: items put, changed, read and removed, one or up to 1,000 at a time.

The scope is ``items``. ``PUT /api/v1/items`` is older, takes the scope ``events``, and knows fewer members.
"""

import re
from collections.abc import Iterable, Iterator
from http import HTTPStatus
from typing import Annotated, Any

from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from pydantic import Field, field_validator
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from common.http.problems import InvalidRequest, Problem
from common.http.rest import Body, actor_of, read_body, read_document
from personalization.catalogue import bodies, writing
from personalization.catalogue.models import Item
from personalization.catalogue.writing import Answer, Change, Done, ItemMissing
from personalization.intake.bodies import ITEM, Slug

_READ = {code: OpenApiResponse(description="problem+json") for code in (400, 401, 403, 404, 503)}
_WRITE = {**_READ, 413: OpenApiResponse(description="problem+json")}
_WRITE_LIST = {code: answer for code, answer in _WRITE.items() if code != HTTPStatus.NOT_FOUND}
_ID = OpenApiParameter("item", {"type": "string", "pattern": ITEM}, OpenApiParameter.PATH)


class ItemUnnamed(InvalidRequest):
    code = "item_unnamed"
    title = "This is no id of an item"


class CatalogueItem(Body):
    """An item. ``offered: false`` keeps it out of every list; of what is left out, what was stated before stays.

    ``creator`` is who made it; items of one who opted out (``PUT /api/v1/creators/NAME``) are not recommended.
    """

    id: Slug
    title: Annotated[str, Field(min_length=1, max_length=160, pattern=r"^[^\x00]*$")]
    categories: bodies.Categories = []
    offered: bool | None = None
    creator: Slug | None = None

    def change(self) -> Change:
        stated: dict[str, Any] = {"title": self.title, "categories": self.categories}
        stated |= {} if self.offered is None else {"is_active": self.offered}
        return Change(self.id, "put", stated | ({} if self.creator is None else {"creator": self.creator}))


class CatalogueBody(Body):
    """Items to add or to change; no id is named twice."""

    items: Annotated[list[CatalogueItem], Field(min_length=1, max_length=1000)]

    @field_validator("items")
    @classmethod
    def _one_entry_an_item(cls, items: list[CatalogueItem]) -> list[CatalogueItem]:
        if len({item.id for item in items}) != len(items):
            raise ValueError("an item is named twice")
        return items


class CatalogueView(APIView):
    """Add or change items of the catalogue, and switch them on and off; all of them or none."""

    required_scope = "events"

    @extend_schema(operation_id="put_items", request=CatalogueBody, responses={204: None, **_WRITE_LIST})
    def put(self, request: Request) -> Response:
        changes = [item.change() for item in read_body(CatalogueBody, request).items]
        actor = actor_of(request)
        writing.write_all(changes, actor=actor, service=actor, keeps=False)
        return Response(status=HTTPStatus.NO_CONTENT)


class ItemView(APIView):
    """One item of the catalogue."""

    required_scope = "items"

    @extend_schema(operation_id="get_item", parameters=[_ID], responses={200: bodies.ItemDocument, **_READ})
    def get(self, request: Request, item: str) -> Response:
        row = Item.objects.filter(pk=_named(item), removed_at=None).first()
        if row is None:
            raise ItemMissing
        return Response(bodies.document(row))

    @extend_schema(
        operation_id="put_item",
        request=bodies.ItemBody,
        parameters=[_ID],
        responses={200: bodies.ItemDocument, 201: bodies.ItemDocument, **_WRITE},
    )
    def put(self, request: Request, item: str) -> Response:
        """Add the item, or change what is stated of it. The same request again changes nothing."""
        done = self._write(request, Change(_named(item), "put", read_body(bodies.ItemBody, request).stated()))
        status = HTTPStatus.CREATED if done.outcome == "created" else HTTPStatus.OK
        return Response(bodies.document(_stored(done)), status=status)

    @extend_schema(
        operation_id="change_item",
        request=bodies.ItemBody,
        parameters=[_ID],
        responses={200: bodies.ItemDocument, **_WRITE},
    )
    def patch(self, request: Request, item: str) -> Response:
        """Change what is stated of an item that is there."""
        done = self._write(request, Change(_named(item), "change", read_body(bodies.ItemBody, request).stated()))
        return Response(bodies.document(_stored(done)))

    @extend_schema(operation_id="remove_item", parameters=[_ID], responses={204: None, **_READ})
    def delete(self, request: Request, item: str) -> Response:
        """Remove an item from the catalogue: from all lists at once. One that is not there is removed already."""
        self._write(request, Change(_named(item), "remove"))
        return Response(status=HTTPStatus.NO_CONTENT)

    def _write(self, request: Request, change: Change) -> Done:
        actor = actor_of(request)
        return writing.write_all([change], actor=actor, service=actor)[0]


class Outcome(Body):
    """What became of one change; a change that was refused has an ``error`` instead, which is a problem."""

    id: str | None
    outcome: str | None = None
    error: dict[str, Any] | None = None


class BatchAnswer(Body):
    items: list[Outcome]


class BatchView(APIView):
    """Put, change and remove up to 1,000 items in one transaction, each answered as it would be alone."""

    required_scope = "items"

    @extend_schema(
        operation_id="change_items",
        request={"application/json": bodies.BATCH_SCHEMA},
        responses={200: BatchAnswer, **_WRITE_LIST},
    )
    def post(self, request: Request) -> Response:
        entries = list(_entries(read_body(bodies.BatchBody, request).items))
        actor = actor_of(request)
        changes = [entry for _, entry in entries if isinstance(entry, Change)]
        answers = iter(writing.write(changes, actor=actor, service=actor))
        return Response(
            {
                "items": [
                    _outcome(item, next(answers) if isinstance(entry, Change) else entry) for item, entry in entries
                ]
            }
        )


def _entries(given: Iterable[dict[str, Any]]) -> Iterator[tuple[str | None, Change | Problem]]:
    """Yield each entry with the item it names, as far as it can be read."""
    seen: set[str] = set()
    for each in given:
        try:
            change = read_document(bodies.BatchEntry, each).change()
        except InvalidRequest as fault:
            yield None, fault
            continue
        is_first = change.item not in seen
        seen.add(change.item)
        yield change.item, change if is_first else InvalidRequest("The item is named twice; its first entry counts.")


def _outcome(item: str | None, answer: Answer) -> dict[str, Any]:
    if isinstance(answer, Problem):
        return {"id": item, "error": answer.document()}
    return {"id": item, "outcome": answer.outcome}


def _stored(done: Done) -> Item:
    assert done.item is not None  # noqa: S101 (only a removal has none)
    return done.item


def _named(text: str) -> str:
    if not re.fullmatch(ITEM, text):
        raise ItemUnnamed("An id has 1 to 64 letters, digits and . _ -.")
    return text
