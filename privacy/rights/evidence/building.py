"""Make the evidence of a request. No id, address or words of the person are in it."""

from typing import Any
from uuid import UUID

from django.utils import timezone

from audit import signed_zip, signing, trail
from audit.signed_zip import text
from oversight.officers import single
from privacy.rights.erasure import answering
from privacy.rights.evidence.verifying import FORMAT, README, TYP
from privacy.rights.models import RightsRequest
from privacy.rights.requesters import requester
from privacy.rights.requests import recipients
from privacy.rights.requests.states import Move

_LEFT_OUT = {"statement", "statement_salt", "request_key", "request_digest"}


def build(pk: UUID, *, actor: str) -> bytes:
    """Return the evidence of a request as a zip; that it was exported is an event of the audit trail itself."""
    trail.record("request.evidence_exported", str(pk), actor=actor)
    trail.anchor()
    request = RightsRequest.objects.prefetch_related("steps", "blockers", "letters").get(pk=pk)
    manifest = {
        "format": FORMAT,
        "request": str(pk),
        "created_at": timezone.now().isoformat(timespec="seconds"),
        **({"single_officer": True} if single.is_single() else {}),
    }
    return signed_zip.build(_files(request), manifest, typ=TYP)


def _files(request: RightsRequest) -> dict[str, bytes]:
    return {
        "README.txt": README.encode(),
        "request.json": text(_columns(request, _LEFT_OUT) | {"id": str(request.pk)}),
        "requester.json": text(_requester(request)),
        "steps.json": text([_columns(step) for step in request.steps.all()]),
        "blockers.json": text([_columns(blocker) for blocker in request.blockers.all()]),
        "letters.json": text([_columns(letter, {"sealed", "address"}) for letter in request.letters.all()]),
        "erasure.json": text(_erasure(request)),
        "recipients.json": text(recipients.informed(request)),
        "audit.json": text(trail.prove(request.pk)),
        "keys.json": text(signing.published_keys()),
    }


def _erasure(request: RightsRequest) -> dict[str, Any] | None:
    """Return what an erasure did, store by store, and the verification that ended it; None of another right."""
    steps = list(request.erasure_steps.all())
    if not steps:
        return None
    times = [{"done_at": _plain(step.done_at)} for step in steps]
    done = next((step.details for step in request.steps.all() if step.move == Move.COMPLETE), None)
    return {
        "steps": [entry | time for entry, time in zip(answering.entries(steps), times, strict=True)],
        "ledger": next((step.also["ledger"] for step in steps if "ledger" in step.also), None),
        "verification": done,
    }


def _requester(request: RightsRequest) -> dict[str, Any] | None:
    asks = requester.of(request)
    said = ("acting", "locale", "proven_at", "mandate_until", "mandate_withdrawn_at")
    return {name: _plain(getattr(asks, name)) for name in said} if asks else None


def _columns(row: Any, left_out: set[str] | None = None) -> dict[str, Any]:
    fields = row._meta.concrete_fields  # noqa: SLF001 (Django documents it)
    return {each.name: _plain(each.value_from_object(row)) for each in fields if each.name not in (left_out or set())}


def _plain(value: Any) -> Any:
    return value if value is None or isinstance(value, bool | int | str | dict | list) else str(value)
