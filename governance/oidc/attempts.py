"""Sign-in attempt, kept by the browser that makes it: a signed cookie that lasts ten minutes, no row of ours.

State, nonce and PKCE verifier are derived from the cookie's secret, so they belong to this browser and to each other.
"""

import hashlib
import hmac
import secrets
from base64 import urlsafe_b64encode
from dataclasses import dataclass, field
from datetime import timedelta

from django.core.signing import BadSignature, TimestampSigner

ATTEMPT_LASTS = timedelta(minutes=10)
_SALT = "assent.{who}_oidc.attempt"


@dataclass(frozen=True)
class Attempt:
    secret: str = field(repr=False)

    @property
    def state(self) -> str:
        return self._derive(b"state")

    @property
    def nonce(self) -> str:
        return self._derive(b"nonce")

    @property
    def verifier(self) -> str:
        """Return the PKCE verifier (RFC 7636): 43 characters of 256 random bits."""
        return self._derive(b"verifier")

    @property
    def challenge(self) -> str:
        return _text(hashlib.sha256(self.verifier.encode()).digest())

    @property
    def proof(self) -> bytes:
        """Return what makes the session of this attempt the only one (see ``links.start_session``)."""
        return b"oidc:" + self.secret.encode()

    def is_state(self, state: str) -> bool:
        return hmac.compare_digest(state.encode(), self.state.encode())

    def _derive(self, use: bytes) -> str:
        return _text(hmac.digest(self.secret.encode(), use, "sha256"))


def begin(who: str) -> tuple[Attempt, str]:
    """Return a new attempt of a ``subject`` or an ``officer``, and the cookie that brings it back."""
    attempt = Attempt(secrets.token_urlsafe(32))
    return attempt, TimestampSigner(salt=_SALT.format(who=who)).sign(attempt.secret)


def attempt_of(cookie: str, who: str) -> Attempt | None:
    """Return the attempt a browser brings back; None where it made none of this kind, or too long ago."""
    try:
        return Attempt(TimestampSigner(salt=_SALT.format(who=who)).unsign(cookie[:512], max_age=ATTEMPT_LASTS))
    except BadSignature:
        return None


def _text(digest: bytes) -> str:
    return urlsafe_b64encode(digest).rstrip(b"=").decode()
