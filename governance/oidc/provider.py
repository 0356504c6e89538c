"""Provider: discovery of its endpoints, its keys, and the exchange of a code for an ID token."""

import threading
from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic
from typing import Any, Generic, TypeVar
from urllib.parse import quote_plus, urlencode

from governance.oidc.attempts import Attempt
from governance.oidc.client import Client, ProviderUnavailable, SignInRefused
from governance.oidc.fetch import checked_url, fetch_json

KEPT_FOR_S = 600.0
# An unknown key makes us ask again, for the provider may have changed its keys; but not at every request.
ASKED_AGAIN_AFTER_S = 60.0
_Value = TypeVar("_Value")


@dataclass(frozen=True)
class Metadata:
    """Provider metadata (OpenID Connect Discovery 1.0)."""

    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    takes_basic: bool
    names_itself: bool  # RFC 9207: its answers carry ``iss``


class _Kept(Generic[_Value]):
    """Cache of one value per client while it is fresh. Two threads may fetch the same value; neither waits."""

    def __init__(self, fetch: Callable[[Client], _Value]) -> None:
        self._fetch, self._lock = fetch, threading.Lock()
        self._values: dict[Client, tuple[float, _Value]] = {}

    def get(self, client: Client, *, max_age_s: float = KEPT_FOR_S) -> _Value:
        with self._lock:
            fetched_at, value = self._values.get(client, (float("-inf"), None))
        if value is not None and monotonic() - fetched_at < max_age_s:
            return value
        value = self._fetch(client)
        with self._lock:
            self._values[client] = (monotonic(), value)
        return value

    def clear(self) -> None:
        with self._lock:
            self._values.clear()


def authorization_url(client: Client, attempt: Attempt) -> str:
    """Return where the browser goes to sign in. Raises ProviderUnavailable."""
    endpoint = metadata.get(client).authorization_endpoint
    query = urlencode(
        {
            "response_type": "code",
            "client_id": client.client_id,
            "redirect_uri": client.redirect_uri,
            "scope": client.scope,
            "state": attempt.state,
            "nonce": attempt.nonce,
            "code_challenge": attempt.challenge,
            "code_challenge_method": "S256",
        }
    )
    return f"{endpoint}{'&' if '?' in endpoint else '?'}{query}"


def id_token_for(client: Client, *, code: str, verifier: str) -> str:
    """Exchange a code for the ID token. Raises SignInRefused where the provider refuses, ProviderUnavailable."""
    found = metadata.get(client)
    fields = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": client.redirect_uri,
        "code_verifier": verifier,
    }
    headers = {}
    if found.takes_basic:
        pair = f"{quote_plus(client.client_id)}:{quote_plus(client.client_secret)}"
        headers["Authorization"] = f"Basic {b64encode(pair.encode()).decode()}"
    else:
        fields |= {"client_id": client.client_id, "client_secret": client.client_secret}
    status, document = fetch_json(
        found.token_endpoint, issuer=client.issuer, form=urlencode(fields).encode(), headers=headers
    )
    if status in (400, 401, 403):
        raise SignInRefused("the provider does not take the code")
    token = document.get("id_token")
    if status != 200 or not isinstance(token, str):
        raise ProviderUnavailable("the token endpoint gave no ID token")
    return token


def signing_keys(client: Client, *, key_id: str | None = None) -> list[dict[str, Any]]:
    """Return the provider's published keys; asks again where ``key_id`` is not among those kept."""
    found = keys.get(client)
    if key_id is not None and all(key.get("kid") != key_id for key in found):
        found = keys.get(client, max_age_s=ASKED_AGAIN_AFTER_S)
    return found


def forget() -> None:
    """Clear this process's cache."""
    metadata.clear()
    keys.clear()


def _fetch_metadata(client: Client) -> Metadata:
    address = f"{client.issuer.rstrip('/')}/.well-known/openid-configuration"
    status, document = fetch_json(address, issuer=client.issuer)
    if status != 200 or document.get("issuer") != client.issuer:
        raise ProviderUnavailable("the configuration is not that of the issuer")
    endpoints = {}
    for name in ("authorization_endpoint", "token_endpoint", "jwks_uri"):
        endpoints[name] = str(document.get(name, ""))
        checked_url(endpoints[name], issuer=client.issuer)
    methods = document.get("token_endpoint_auth_methods_supported") or ["client_secret_basic"]
    return Metadata(
        **endpoints,
        takes_basic="client_secret_basic" in methods,
        names_itself=document.get("authorization_response_iss_parameter_supported") is True,
    )


def _fetch_keys(client: Client) -> list[dict[str, Any]]:
    status, document = fetch_json(metadata.get(client).jwks_uri, issuer=client.issuer)
    found = document.get("keys")
    if status != 200 or not isinstance(found, list) or not all(isinstance(key, dict) for key in found):
        raise ProviderUnavailable("the keys cannot be read")
    return found


metadata = _Kept(_fetch_metadata)
keys = _Kept(_fetch_keys)
