"""Signing keys of policy bundles: one for each key that signs evidence, retired and renewed with it.

OPA's configuration takes no EdDSA key (1.20.2 refuses it; only its command line does), so bundles are signed with
ES256: ECDSA on P-256 (RFC 7518), deterministic (RFC 6979), so that the same revision and key give the same bytes. The
private half is derived like that of the evidence key and stored nowhere.
"""

import hashlib
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from audit import jws, signing
from audit.models import SigningKey
from common.canonical import canonical_json

ALGORITHM = "ES256"
_USE = b"assent bundle signing 1"
_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551  # of P-256 (FIPS 186-4, D.1.2.3)
_SIZE = 32
_SEED_BYTES = 48  # 128 bits more than the order, so that the remainder shows no bias


@dataclass(frozen=True)
class BundleKey:
    private: ec.EllipticCurvePrivateKey

    @property
    def kid(self) -> str:
        """Return the RFC 7638 thumbprint."""
        return jws.encode(hashlib.sha256(canonical_json(self._public_jwk())).digest())

    def sign(self, payload: bytes) -> str:
        """Return the compact JWS."""
        header = canonical_json({"alg": ALGORITHM, "kid": self.kid, "typ": "opa-bundle+jwt"})
        signed = f"{jws.encode(header)}.{jws.encode(payload)}"
        r, s = decode_dss_signature(self.private.sign(signed.encode(), ec.ECDSA(SHA256(), deterministic_signing=True)))
        return f"{signed}.{jws.encode(r.to_bytes(_SIZE) + s.to_bytes(_SIZE))}"

    def public_pem(self) -> str:
        public = self.private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        return public.decode()

    def public_jwk(self) -> dict[str, str]:
        return {**self._public_jwk(), "kid": self.kid, "use": "sig", "alg": ALGORITHM}

    def for_opa(self) -> dict[str, str]:
        """Return the key as a member of ``keys`` in OPA's configuration."""
        return {"algorithm": ALGORITHM, "key": self.public_pem()}

    def _public_jwk(self) -> dict[str, str]:
        numbers = self.private.public_key().public_numbers()
        x, y = (jws.encode(number.to_bytes(_SIZE)) for number in (numbers.x, numbers.y))
        return {"crv": "P-256", "kty": "EC", "x": x, "y": y}


def current() -> BundleKey:
    """Return the current signing key."""
    return _beside(signing.current_key())


def usable() -> list[BundleKey]:
    """Return the current key, then those retired within ``signing.GRACE``, newest first."""
    return [_beside(key) for key in signing.usable_keys()]


def published() -> dict[str, Any]:
    """Return all public keys as a JWK set: those of evidence, retired ones included, and usable bundle keys."""
    ours = [key.public_jwk() for key in usable()]
    return {"keys": [*signing.published_keys()["keys"], *ours]}


def _beside(key: SigningKey) -> BundleKey:
    return _made(signing.derived(key, _USE, _SEED_BYTES))


@lru_cache(maxsize=8)
def _made(seed: bytes) -> BundleKey:
    return BundleKey(ec.derive_private_key(int.from_bytes(seed) % (_ORDER - 1) + 1, ec.SECP256R1()))
