"""Single-use links to a privacy dashboard, and the short session a link or a sign-in opens.

The business's own service asks for a link for a person it knows and sends the person there: no account is needed.
Tokens are 256 random bits; the database keeps only their SHA-256, so a copy of it opens nothing.
"""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import F, Q, QuerySet
from django.db.models.functions import Coalesce
from django.utils import timezone

from audit import trail
from common.canonical import sha256
from consent import counts, shown_ids
from consent.models import SubjectLink
from consent.shown_ids import Shown

LINK_LASTS = timedelta(minutes=15)
SESSION_LASTS = timedelta(minutes=30)
IDLE_SESSION_LASTS = timedelta(minutes=15)
# The last use is written at most this often, so a session that is idle ends up to this much early, never late.
USE_IS_NOTED_EVERY = timedelta(minutes=1)


@dataclass(frozen=True)
class Revoked:
    """Counts of what was revoked of a person's access."""

    links: int
    sessions: int


@transaction.atomic
def issue_link(*, subject_ref: UUID, issued_by: str, shown: Shown | None = None) -> tuple[str, SubjectLink]:
    """Return the token for the link's URL and the stored row."""
    token = secrets.token_urlsafe(32)
    link = SubjectLink.objects.create(
        token_hash=sha256(token.encode()),
        subject_ref=subject_ref,
        issued_by=issued_by,
        expires_at=timezone.now() + LINK_LASTS,
        shown_id=shown_ids.sealed(shown, token),
    )
    trail.record("subject_link.issued", str(subject_ref), actor=issued_by)
    counts.count(counts.What.LINK_ISSUED)
    return token, link


@transaction.atomic
def open_link(token: str) -> str | None:
    """Consume a link and return the secret of the session it opens; None if unknown, used, expired or revoked.

    The conditional update lets exactly one of two simultaneous visitors in.
    """
    session, now = _new_secret(), timezone.now()
    used = SubjectLink.objects.filter(
        token_hash=sha256(token.encode()), opened_at=None, revoked_at=None, expires_at__gt=now
    ).update(
        opened_at=now,
        session_hash=sha256(session.encode()),
        session_expires_at=now + SESSION_LASTS,
        last_used_at=now,
    )
    if not used:
        return None
    link = SubjectLink.objects.get(session_hash=sha256(session.encode()))
    if link.shown_id is not None:
        link.shown_id = shown_ids.sealed(shown_ids.opened(link.shown_id, token), session)
        link.save(update_fields=["shown_id"])
    trail.record("subject_link.opened", str(link.subject_ref), actor="subject")
    return session


def start_session(*, subject_ref: UUID, proof: bytes, issued_by: str, shown: Shown | None = None) -> str | None:
    """Return the secret of a session for a person authenticated in another way.

    ``proof`` is what was proved with, at least 256 random bits; the same one never opens a second session (None).
    """
    session, now = _new_secret(), timezone.now()
    try:
        with transaction.atomic():
            SubjectLink.objects.create(
                token_hash=sha256(proof),
                subject_ref=subject_ref,
                issued_by=issued_by,
                expires_at=now,
                opened_at=now,
                session_hash=sha256(session.encode()),
                session_expires_at=now + SESSION_LASTS,
                last_used_at=now,
                shown_id=shown_ids.sealed(shown, session),
            )
            trail.record("subject_session.started", str(subject_ref), actor=issued_by)
    except IntegrityError:
        return None
    return session


def open_session(secret: str) -> SubjectLink | None:
    """Return the link behind a session cookie while the session lasts, and note that it was used."""
    now = timezone.now()
    link = _sessions_in_force(now).filter(session_hash=sha256(secret.encode())).first()
    if link is not None and (link.last_used_at or link.opened_at or now) <= now - USE_IS_NOTED_EVERY:
        # Noted only while it is in force: a revocation in between is not undone, and nothing else of the row changes.
        _sessions_in_force(now).filter(pk=link.pk).update(last_used_at=now)
    return link


def end_session(secret: str) -> None:
    SubjectLink.objects.filter(session_hash=sha256(secret.encode())).update(
        session_expires_at=timezone.now(), shown_id=None
    )


@transaction.atomic
def revoke_access(*, subject_ref: UUID, actor: str) -> Revoked:
    """End every session of a person and every link that was not opened yet, at once.

    Rows are locked first, so a link that is being opened at the same time is either refused or its session is ended.
    """
    now = timezone.now()
    in_force = SubjectLink.objects.filter(subject_ref=subject_ref, revoked_at=None).filter(
        Q(opened_at=None, expires_at__gt=now) | Q(session_expires_at__gt=now)
    )
    opened = dict(in_force.select_for_update().values_list("pk", "opened_at"))
    SubjectLink.objects.filter(pk__in=list(opened)).update(revoked_at=now, shown_id=None)
    unopened = list(opened.values()).count(None)
    revoked = Revoked(links=unopened, sessions=len(opened) - unopened)
    trail.record(
        "subject_access.revoked",
        str(subject_ref),
        actor=actor,
        details={"links": revoked.links, "sessions": revoked.sessions},
    )
    return revoked


def _sessions_in_force(now: datetime) -> QuerySet[SubjectLink]:
    return SubjectLink.objects.alias(used=Coalesce(F("last_used_at"), F("opened_at"))).filter(
        revoked_at=None, session_expires_at__gt=now, used__gt=now - IDLE_SESSION_LASTS
    )


def _new_secret() -> str:
    return secrets.token_urlsafe(32)
