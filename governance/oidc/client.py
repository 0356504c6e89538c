"""Client configuration at the provider, as the operator set it up."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Client:
    issuer: str
    client_id: str
    client_secret: str = field(repr=False)
    claim: str
    redirect_uri: str
    more_scopes: tuple[str, ...] = ()

    @property
    def scope(self) -> str:
        asked = ("openid", *(("email",) if self.claim == "email" else ()), *self.more_scopes)
        return " ".join(dict.fromkeys(asked))


class SignInRefused(Exception):
    """Refusal of a sign-in that proves nothing. The text is for the log: fixed words, never received ones."""


class ProviderUnavailable(Exception):
    """Failure of the provider to answer, or to answer usably. The text is for the log, as above."""
