"""Packages that answer access and portability: made, verified against the stores, sealed, downloaded once a link."""

import hashlib
import io
import secrets
import zipfile
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from audit import signing, trail
from common.canonical import canonical_json, sha256
from privacy.rights.answers import files, sealing
from privacy.rights.answers.files import Section
from privacy.rights.clocks.laws import Right
from privacy.rights.models import AnswerPackage, DownloadLink, RightsRequest
from privacy.rights.stores import seam
from privacy.rights.stores.tables import count_all

TYP = "assent-answer+jws"
PACKAGE_LASTS = timedelta(days=30)
LINK_LASTS = timedelta(hours=1)


@dataclass(frozen=True)
class Made:
    """A package with what it contains by store, as the verification compares it."""

    content: bytes
    counts: dict[str, int]


def make(request: RightsRequest, *, now: datetime) -> Made:
    """Make the files of an answer, and a signed manifest of them."""
    provided_only = request.right == Right.PORTABILITY
    sections = [
        Section(store.description, list(store.export(request.subject_ref)))
        for store in seam.registered(provided_only=provided_only)
    ]
    head = {
        "right": request.right,
        "law": request.law,
        "made_at": now.isoformat(),
        "business": settings.BUSINESS_NAME,
    }
    members = {
        "data.json": files.data_json(sections, head),
        "schema.json": files.schema_json(sections),
        "index.html": files.page_html(sections, head),
        **{f"{each.description.name}.csv": files.section_csv(each) for each in sections},
    }
    return Made(_zip(members, head), {each.description.name: len(each.rows) for each in sections})


def _zip(members: dict[str, bytes], head: dict[str, Any]) -> bytes:
    manifest = canonical_json(
        {**head, "files": {name: hashlib.sha256(data).hexdigest() for name, data in members.items()}}
    )
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
        archive.writestr("manifest.json", manifest)
        archive.writestr("manifest.jws", signing.sign(manifest, typ=TYP))
    return file.getvalue()


def keep(request: RightsRequest, made: Made, *, now: datetime) -> AnswerPackage:
    """Keep a package encrypted, until it expires."""
    package, _created = AnswerPackage.objects.update_or_create(
        request=request,
        defaults={
            "sealed": sealing.seal(made.content, request.pk),
            "sha256": hashlib.sha256(made.content).hexdigest(),
            "made_at": now,
            "expires_at": now + PACKAGE_LASTS,
        },
    )
    return package


def verify(request: RightsRequest, counted: dict[str, int]) -> list[str]:
    """Return what an answer lacks: the stores, asked again, that hold another number of rows than it has."""
    provided_only = request.right == Right.PORTABILITY
    now = count_all(seam.registered(provided_only=provided_only), request.subject_ref)
    return [name for name, rows in now.items() if counted.get(name) != rows]


def in_force(pk: UUID, *, now: datetime | None = None) -> AnswerPackage | None:
    """Return the files of a request while they are kept."""
    return AnswerPackage.objects.filter(request=pk, expires_at__gt=now or timezone.now()).first()


def issue_link(package: AnswerPackage, *, actor: str, now: datetime | None = None) -> str:
    """Return the token of a new single-use link."""
    moment = now or timezone.now()
    token = secrets.token_urlsafe(32)
    DownloadLink.objects.create(
        token_hash=sha256(token.encode()),
        package=package,
        issued_by=str(actor),
        issued_at=moment,
        expires_at=min(moment + LINK_LASTS, package.expires_at),
    )
    return token


@transaction.atomic
def open_link(token: str, *, subject_ref: UUID | None = None, now: datetime | None = None) -> bytes | None:
    """Return the package of a link and use the link up; None for any that is unknown, used, expired, or another's.

    ``subject_ref``: the person whose session presents the link; a link that was passed on opens nothing there.
    """
    moment = now or timezone.now()
    link = (
        DownloadLink.objects.select_for_update(of=("self",))
        .select_related("package__request")
        .filter(token_hash=sha256(token.encode()), used_at__isnull=True, expires_at__gt=moment)
        .first()
    )
    if link is None or (subject_ref is not None and link.package.request.subject_ref != subject_ref):
        return None
    link.used_at = moment
    link.save(update_fields=["used_at"])
    trail.record("request.downloaded", str(link.package.request_id), actor=link.issued_by)
    return sealing.unseal(bytes(link.package.sealed), link.package.request_id)


def forget_expired(now: datetime) -> int:
    """Delete packages that have expired, with their links; return how many."""
    _all, counts = AnswerPackage.objects.filter(expires_at__lte=now).delete()
    return counts.get("rights.AnswerPackage", 0)
