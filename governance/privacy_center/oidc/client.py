"""What the operator set up at the provider."""

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
    """This sign-in proves nothing. The text is for the log: fixed words, never anything that was received."""


class ProviderUnavailable(Exception):
    """The provider does not answer, or with something that is no answer. The text is for the log, as above."""
