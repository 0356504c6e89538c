"""Erasures in the other cells of a deployment, asked of each under this cell's credential."""

import logging
from collections.abc import Iterable, Mapping
from uuid import UUID

import msgspec
from django.conf import settings

from policies.cells import client
from policies.cells.client import CellUnavailable
from policies.cells.table import Cell, Table
from privacy.rights.requests.other_cells import Others

logger = logging.getLogger(__name__)
_PATH = "/api/v1/requests"
_NOT_HERE = 421  # the other cell does not know the person


def _others(table: Table) -> dict[str, Cell]:
    return {cell.name: cell for cell in table.cells if cell != table.own}


def names() -> Iterable[str]:
    table: Table | None = settings.CELLS
    return _others(table) if table else ()


def erase(name: str, subject: Mapping[str, str], request: UUID) -> bool:
    """Ask one cell; return whether the person is erased there, or was never there. Repeats are one request to it."""
    table: Table | None = settings.CELLS
    if table is None:
        return True
    cell = _others(table)[name]
    headers = {
        "Content-Type": "application/json",
        "X-Assent-Cell": table.own.name,
        "X-Assent-Caller": "erasure",
        "Idempotency-Key": str(request),
    }
    body = msgspec.json.encode({"subject": subject, "right": "erasure"})
    try:
        reply = client.call(cell, "POST", _PATH, body=body, headers=headers, seconds=settings.CELL_TIMEOUT_MS / 1000)
    except CellUnavailable as unavailable:
        logger.warning("An erasure waits for another cell: %s", unavailable)
        return False
    if reply.status == _NOT_HERE:
        return True
    return reply.status in (200, 201) and _is_done(reply.body)


def _is_done(body: bytes) -> bool:
    try:
        answer = msgspec.json.decode(body)
    except msgspec.DecodeError:
        return False
    return isinstance(answer, dict) and answer.get("state") == "done"


OTHERS = Others(names, erase)
