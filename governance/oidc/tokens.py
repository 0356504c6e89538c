"""Validate an ID token (OpenID Connect Core 1.0, 3.1.3.7) and return what it claims."""

import hmac
from collections.abc import Mapping
from datetime import datetime
from typing import Any, TypeGuard

from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, RSAKey, import_key

from common.http import strict_json
from consent.pseudonyms import checked
from governance.oidc import provider
from governance.oidc.client import Client, SignInRefused

# Signatures with a public key only: not "none", and not HMAC, whose key would be a secret both sides know.
_KEY_TYPES = {"RS256": "RSA", "PS256": "RSA", "ES256": "EC", "ES384": "EC"}
_MIN_RSA_BITS = 2048
_SKEW_S = 60
_MAX_AGE_S = 600
_MAX_TOKEN_CHARS = 32 * 1024
_REGISTRY = jws.JWSRegistry(algorithms=list(_KEY_TYPES), strict_check_header=False)


def person_of(token: str, client: Client, *, nonce: str, now: datetime) -> str:
    """Return the value of the client's claim: the business's id of the person, for the caller to pseudonymise.

    Raises SignInRefused, ProviderUnavailable.
    """
    claims = claims_of(token, client, nonce=nonce, now=now)
    if client.claim == "email" and claims.get("email_verified") is not True:
        raise SignInRefused("the e-mail address is not verified")
    person = claims.get(client.claim)
    if not isinstance(person, str) or not 0 < len(person) <= 256:
        raise SignInRefused("the claim that names the person is missing")
    return _one_person(person)


def claims_of(token: str, client: Client, *, nonce: str, now: datetime) -> dict[str, Any]:
    """Return the claims of a token that the provider made for this attempt. Raises as ``person_of``."""
    claims = _signed_claims(token, client)
    _check_parties(claims, client)
    _check_times(claims, now.timestamp())
    given = claims.get("nonce")
    if not isinstance(given, str) or not hmac.compare_digest(given.encode(), nonce.encode()):
        raise SignInRefused("the nonce is another one")
    return claims


def _one_person(claimed: str) -> str:
    try:
        return checked(claimed)
    except ValueError:
        raise SignInRefused("the claim that names the person names no one person") from None


def _signed_claims(token: str, client: Client) -> dict[str, Any]:
    if len(token) > _MAX_TOKEN_CHARS:
        raise SignInRefused("the token is too long")
    try:
        unchecked = jws.extract_compact(token.encode(), registry=_REGISTRY).headers()
        if unchecked.get("alg") not in _KEY_TYPES or "crit" in unchecked:
            raise SignInRefused("the token is not signed in a way that is taken")
        key = _key(unchecked, client)
        checked = jws.deserialize_compact(token, key, registry=_REGISTRY)
        return strict_json.loads_object(checked.payload or b"")
    except (JoseError, ValueError, TypeError, KeyError):
        # A library's message may quote the token.
        raise SignInRefused("the token's signature or form is not valid") from None


def _key(header: Mapping[str, Any], client: Client) -> RSAKey | ECKey:
    """Return the one published key that may have signed this; the token never brings its own."""
    key_id, kind = header.get("kid"), _KEY_TYPES[header["alg"]]
    published = provider.signing_keys(client, key_id=key_id if isinstance(key_id, str) else None)
    fitting = [
        key
        for key in published
        if key.get("kty") == kind
        and key.get("use", "sig") == "sig"
        and key.get("alg", header["alg"]) == header["alg"]
        and (key_id is None or key.get("kid") == key_id)
    ]
    if len(fitting) != 1:
        raise SignInRefused("no published key, or more than one, fits the token")
    public = {name: value for name, value in fitting[0].items() if name in ("kty", "n", "e", "crv", "x", "y")}
    key = import_key(public)
    if isinstance(key, RSAKey) and key.public_key.key_size >= _MIN_RSA_BITS:
        return key
    if isinstance(key, ECKey):
        return key
    raise SignInRefused("the published key is too weak")


def _check_parties(claims: Mapping[str, Any], client: Client) -> None:
    if claims.get("iss") != client.issuer:
        raise SignInRefused("the token is from another issuer")
    audience = claims.get("aud")
    audiences = audience if isinstance(audience, list) else [audience]
    if client.client_id not in audiences:
        raise SignInRefused("the token is for somebody else")
    if (len(audiences) > 1 or "azp" in claims) and claims.get("azp") != client.client_id:
        raise SignInRefused("the token was made for somebody else")


def _check_times(claims: Mapping[str, Any], now: float) -> None:
    expires, issued, begins = claims.get("exp"), claims.get("iat"), claims.get("nbf", 0)
    if not (_is_time(expires) and _is_time(issued) and _is_time(begins)):
        raise SignInRefused("the token's times are missing")
    if now >= expires + _SKEW_S:
        raise SignInRefused("the token has expired")
    if max(issued, begins) > now + _SKEW_S or issued < now - _MAX_AGE_S - _SKEW_S:
        raise SignInRefused("the token was not made just now")


def _is_time(value: object) -> TypeGuard[float]:
    return isinstance(value, (int, float)) and not isinstance(value, bool)
