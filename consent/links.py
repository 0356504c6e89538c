"""Single-use links to a privacy dashboard, and the short session a link opens.

The business's own service asks for a link for a person it knows and sends the person there: no account is needed.
Tokens are 256 random bits; the database keeps only their SHA-256, so a copy of it opens nothing.
"""

import secrets
from datetime import timedelta
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from audit import trail
from common.canonical import sha256
from consent import counts
from consent.models import SubjectLink

LINK_LASTS = timedelta(minutes=15)
SESSION_LASTS = timedelta(minutes=30)


@transaction.atomic
def issue_link(*, subject_ref: UUID, issued_by: str) -> tuple[str, SubjectLink]:
    """Return the token for the link's URL and the stored row."""
    token = secrets.token_urlsafe(32)
    link = SubjectLink.objects.create(
        token_hash=sha256(token.encode()),
        subject_ref=subject_ref,
        issued_by=issued_by,
        expires_at=timezone.now() + LINK_LASTS,
    )
    trail.record("subject_link.issued", str(subject_ref), actor=issued_by)
    counts.count(counts.What.LINK_ISSUED)
    return token, link


@transaction.atomic
def open_link(token: str) -> str | None:
    """Use a link up and return the secret of the session it opens; None if it is unknown, used or expired.

    The conditional update lets exactly one of two simultaneous visitors in.
    """
    session = secrets.token_urlsafe(32)
    now = timezone.now()
    used = SubjectLink.objects.filter(token_hash=sha256(token.encode()), opened_at=None, expires_at__gt=now).update(
        opened_at=now, session_hash=sha256(session.encode()), session_expires_at=now + SESSION_LASTS
    )
    if not used:
        return None
    link = SubjectLink.objects.get(session_hash=sha256(session.encode()))
    trail.record("subject_link.opened", str(link.subject_ref), actor="subject")
    return session


def open_session(secret: str) -> SubjectLink | None:
    """Return the link behind a session cookie while the session lasts."""
    return SubjectLink.objects.filter(
        session_hash=sha256(secret.encode()), session_expires_at__gt=timezone.now()
    ).first()


def end_session(secret: str) -> None:
    SubjectLink.objects.filter(session_hash=sha256(secret.encode())).update(session_expires_at=timezone.now())
