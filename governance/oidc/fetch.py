"""Fetch a JSON document of the provider. Its own document names further addresses: see ``common.http.outgoing``."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import SplitResult

from common.http import outgoing, strict_json
from common.http.outgoing import CannotReach
from governance.oidc.client import ProviderUnavailable


def fetch_json(
    url: str, *, issuer: str, form: bytes | None = None, headers: Mapping[str, str] | None = None
) -> tuple[int, dict[str, Any]]:
    """GET ``url``, or POST ``form`` to it; return the status and the document. Raises ProviderUnavailable."""
    sent = {"Accept": "application/json", **(headers or {})}
    if form is not None:
        sent["Content-Type"] = "application/x-www-form-urlencoded"
    try:
        status, body = outgoing.exchange(url, trusted=issuer, body=form, headers=sent)
        return status, strict_json.loads_object(body)
    except CannotReach as exc:
        raise ProviderUnavailable(str(exc)) from None
    except strict_json.InvalidJson:
        raise ProviderUnavailable("the answer is not a JSON object") from None


def checked_url(url: str, *, issuer: str) -> SplitResult:
    """Return the parts of an address that may be fetched or sent people to. Raises ProviderUnavailable."""
    try:
        return outgoing.checked_url(url, trusted=issuer)
    except CannotReach as exc:
        raise ProviderUnavailable(str(exc)) from None
