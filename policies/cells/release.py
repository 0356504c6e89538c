"""Release of the primary cell for the others: policy and registers in force, signed; no person is in it."""

from datetime import datetime
from typing import Any

import msgspec
from django.db import transaction

from audit import jws, signing
from common.canonical import sha256
from policies.bundles import loading, publishing
from policies.cells.registers import write_registers
from policies.models import Policy

TYP = "assent-cell-release+jwt"
# Not the canonical form of evidence, which has no place for what a policy's checks measured.
_encode = msgspec.json.Encoder(order="sorted").encode
_LOCAL = ("models",)  # each cell trains and approves its own


class Release(msgspec.Struct, frozen=True):
    """A release as signed. ``content`` is what ``digest`` names."""

    schema: int
    cell: str
    issued_at: datetime
    digest: str
    content: dict[str, Any]


@transaction.atomic
def write_release(cell: str, now: datetime) -> str:
    """Return the current release, as a compact JWS by the key that signs all evidence."""
    publishing.wait_for_publishers()  # so that no half of a change is seen
    content = _content()
    release = Release(1, cell, now, _digest(content), content)
    return signing.sign(msgspec.json.encode(release), typ=TYP)


def _content() -> dict[str, Any]:
    last = publishing.last_activation()
    if last is None:
        raise loading.BundleMissing("nothing is in force")
    policy = last.policy
    certification = publishing.has_certification()
    return {
        "policy": {name: getattr(policy, name) for name in ("modules", "tests", "overlay", "note", "author", "checks")},
        "kind": last.kind,
        "reason": last.reason,
        "certification": certification,
        "registers": write_registers(),
        "rules": rules_digest(policy, certification=certification),
    }


def rules_digest(policy: Policy, *, certification: bool) -> str:
    """Return the digest of the rules every cell must share: the bundle over the registers, the models left out.

    What older consents cover is left out, too: each cell froze it of its own people before it followed this release.
    """
    modules, data = publishing.assemble(policy, certification)
    shared = {name: value for name, value in data.items() if name not in _LOCAL}
    shared["purposes"] = {slug: _without_agreements(purpose) for slug, purpose in data["purposes"].items()}
    return _digest({"policies": modules, "data": shared})


def _without_agreements(purpose: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in purpose.items() if name not in ("agreed", "lending")}


def _digest(content: dict[str, Any]) -> str:
    return f"sha256:{sha256(_encode(content)).hex()}"


def read_release(token: str, trusted: dict[str, Any], cell: str) -> Release:
    """Verify and read a release of ``cell``. Raises jws.NotGenuine."""
    payload, _kid = jws.verify(token, typ=TYP, trusted=trusted)
    try:
        release = msgspec.json.decode(payload, type=Release)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise jws.NotGenuine("This is no release.") from None
    if release.schema != 1 or release.cell != cell or release.issued_at.tzinfo is None:
        raise jws.NotGenuine("This is no release of the primary cell.")
    if release.digest != _digest(release.content):
        raise jws.NotGenuine("The release is not what its digest says.")
    return release
