"""Client configuration at the provider, as the operator set it up."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Client:
    issuer: str
    client_id: str
    client_secret: str = field(repr=False)
    claim: str
    redirect_uri: str

    @property
    def scope(self) -> str:
        return "openid email" if self.claim == "email" else "openid"


class SignInRefused(Exception):
    """Refusal of a sign-in that proves nothing. The text is for the log: fixed words, never received ones."""


class ProviderUnavailable(Exception):
    """Failure of the provider to answer, or to answer usably. The text is for the log, as above."""
