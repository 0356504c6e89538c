"""Compact JWS signatures (RFC 7515) with Ed25519 (RFC 8037), and nothing else: one algorithm, no choices to attack.

Needs no Django, so that evidence can be verified on a machine that has no database.
"""

import base64
import binascii
import hashlib
import json
from collections.abc import Mapping
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

_PARTS = 3


class NotGenuine(ValueError):
    """Rejection of a signature, its form or its key; the text says which."""


def sign(payload: bytes, key: Ed25519PrivateKey, *, typ: str) -> str:
    """Return the compact JWS; the header carries the public key and its thumbprint."""
    jwk = public_jwk(key.public_key())
    header = {"alg": "EdDSA", "typ": typ, "kid": thumbprint(jwk), "jwk": jwk}
    signed = f"{encode(_compact(header))}.{encode(payload)}"
    return f"{signed}.{encode(key.sign(signed.encode()))}"


def verify(token: str, *, typ: str, trusted: Mapping[str, Mapping[str, str]] | None = None) -> tuple[bytes, str]:
    """Return payload and key id of a genuine token. Raises NotGenuine.

    ``trusted`` maps key ids to public keys (JWK); without it the key in the header is taken, and the caller has to
    compare its id with a published one.
    """
    parts = token.split(".")
    if len(parts) != _PARTS:
        raise NotGenuine("This is not a signed document.")
    header = _object(decode(parts[0]))
    if header.get("alg") != "EdDSA" or header.get("typ") != typ or "crit" in header:
        raise NotGenuine("The document was signed in another way, or is of another kind.")
    kid = header.get("kid")
    jwk = header.get("jwk") if trusted is None else trusted.get(kid) if isinstance(kid, str) else None
    if not isinstance(jwk, Mapping) or not isinstance(kid, str):
        raise NotGenuine("The key that signed the document is not among the trusted keys.")
    _check(parts, kid, jwk)
    return decode(parts[1]), kid


def _check(parts: list[str], kid: str, jwk: Mapping[str, Any]) -> None:
    try:
        if thumbprint(jwk) != kid:
            raise NotGenuine("The key is not the one the document names.")
        public = Ed25519PublicKey.from_public_bytes(decode(jwk["x"]))
        public.verify(decode(parts[2]), f"{parts[0]}.{parts[1]}".encode())
    except (InvalidSignature, KeyError, AttributeError, TypeError, ValueError) as exc:
        if isinstance(exc, NotGenuine):
            raise
        raise NotGenuine("The signature does not match the document.") from None


def public_jwk(key: Ed25519PublicKey) -> dict[str, str]:
    return {"kty": "OKP", "crv": "Ed25519", "x": encode(key.public_bytes_raw())}


def thumbprint(jwk: Mapping[str, Any]) -> str:
    """Return the RFC 7638 thumbprint: the SHA-256 of the required members in their order."""
    if jwk.get("kty") != "OKP" or jwk.get("crv") != "Ed25519":
        raise NotGenuine("The key is not an Ed25519 key.")
    return encode(hashlib.sha256(_compact({"crv": "Ed25519", "kty": "OKP", "x": jwk["x"]})).digest())


def encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def decode(text: str) -> bytes:
    """Decode base64url without padding. Raises NotGenuine."""
    try:
        data = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError, TypeError):
        raise NotGenuine("A part of the document is not base64url.") from None
    if encode(data) != text:  # one document, one spelling
        raise NotGenuine("A part of the document is not base64url.")
    return data


def _compact(value: Mapping[str, Any]) -> bytes:
    return json.dumps(value, separators=(",", ":"), sort_keys=True).encode()


def _object(text: bytes) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except ValueError:
        raise NotGenuine("The header is not JSON.") from None
    if not isinstance(value, dict):
        raise NotGenuine("The header is not an object.")
    return value
