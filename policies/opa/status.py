"""Last status of each OPA server: which revision it holds, since when, and what went wrong."""

import re
from datetime import datetime, timedelta
from typing import Any

import msgspec
from django.utils import timezone

from common.http.problems import InvalidRequest
from policies.models import OpaInstance

MAX_INSTANCES = 200
_MAX_ERRORS = 10
_MAX_ERROR = 300
_CLOCKS_APART = timedelta(days=2)
_NAME = re.compile(r"[A-Za-z0-9._-]{1,64}")
_REVISION = re.compile(r"sha256:[0-9a-f]{64}")


class _Part(msgspec.Struct):
    active_revision: str | None = None
    last_successful_activation: str | None = None
    code: str | None = None
    message: str | None = None


class _Status(msgspec.Struct):
    labels: dict[str, Any]
    bundles: dict[str, _Part | None] | None = None
    discovery: _Part | None = None


_decoder = msgspec.json.Decoder(_Status)


def keep_status(body: bytes, *, caller: str) -> OpaInstance:
    """Replace a server's status by what it reports. Raises InvalidRequest."""
    try:
        status = _decoder.decode(body)
    except (msgspec.MsgspecError, ValueError, RecursionError, TypeError):
        raise InvalidRequest("The body is not a status of OPA.") from None
    name = instance_name(status.labels)
    if not name:
        raise InvalidRequest("The status has no label 'instance' or 'id' of letters, digits, '.', '_' and '-'.")
    parts = [part for part in (status.bundles or {}).values() if part is not None]
    instance, _ = OpaInstance.objects.update_or_create(
        name=name,
        defaults={
            "caller": caller[:120],
            "bundle_revision": next((known_form(part.active_revision) for part in parts), ""),
            "activated_at": next((_moment(part.last_successful_activation) for part in parts), None),
            "errors": _errors([*parts, *([status.discovery] if status.discovery else [])]),
            "heard_at": timezone.now(),
        },
    )
    # A server that names itself anew at each start leaves its old names behind.
    OpaInstance.objects.exclude(pk__in=list(OpaInstance.objects.values_list("pk", flat=True)[:MAX_INSTANCES])).delete()
    return instance


def instance_name(labels: dict[str, Any]) -> str:
    """Return a server's own name, or nothing where it is no name."""
    name = labels.get("instance") or labels.get("id")
    return name if isinstance(name, str) and _NAME.fullmatch(name) else ""


def known_form(revision: Any) -> str:
    """Return the revision where it has the form of one of ours, else nothing."""
    return revision if isinstance(revision, str) and _REVISION.fullmatch(revision) else ""


def _moment(text: str | None) -> datetime | None:
    """Return the moment; None for one that cannot be read, which is no reason to lose the rest of the status."""
    try:
        moment = datetime.fromisoformat(text) if text else None
    except ValueError:
        return None
    if moment is None or moment.tzinfo is None:
        return None
    # OPA writes the year 1 for "never"; a time to come is one of a wrong clock, and may be none that can be stored.
    return moment if moment.year > 2000 and moment - timezone.now() < _CLOCKS_APART else None


def _errors(parts: list[_Part]) -> list[str]:
    failed = [f"{part.code}: {part.message or ''}" for part in parts if part.code]
    return ["".join(c if c.isprintable() else " " for c in text[:_MAX_ERROR]) for text in failed[:_MAX_ERRORS]]
