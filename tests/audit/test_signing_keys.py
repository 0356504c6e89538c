"""A signing key outlives its secret, and only a command makes another."""

from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.core.management import call_command
from django.test import Client
from django.utils import timezone

from audit import jws, signing
from audit.models import SigningKey

pytestmark = pytest.mark.django_db
NEW, OLD = "the new secret of this instance, long", "the old secret of this instance, long"


def planted_key() -> Ed25519PrivateKey:
    """A key whose row was written straight into the database."""
    key = Ed25519PrivateKey.generate()
    SigningKey.objects.create(
        kid=jws.thumbprint(jws.public_jwk(key.public_key())), salt=b"x" * 16,
        public_key=key.public_key().public_bytes_raw(), created_at=timezone.now(), retired_at=timezone.now(),
    )  # fmt: skip
    return key


def test_a_planted_key_is_none_of_ours() -> None:
    first = signing.current_key()
    planted = planted_key()

    assert [key["kid"] for key in signing.published_keys()["keys"]] == [first.kid]
    assert signing.public_keys() == [bytes(first.public_key)]
    kid = jws.thumbprint(jws.public_jwk(planted.public_key()))
    assert kid not in {key["kid"] for key in Client().get("/.well-known/jwks.json").json()["keys"]}


def test_a_key_whose_secret_is_gone_stays_ours_by_the_trail(settings: Any) -> None:
    settings.SECRET_KEY = OLD
    first = signing.current_key()
    settings.SECRET_KEY = NEW
    second = signing.rotate(actor="test")

    assert [key.kid for key in signing.own_keys()] == [second.kid, first.kid]


def test_two_secrets_do_not_retire_each_others_key(settings: Any) -> None:
    settings.SECRET_KEY = OLD
    signing.current_key()

    for number in range(10):
        settings.SECRET_KEY = NEW if number % 2 else OLD
        assert Client().get("/.well-known/jwks.json").status_code == 200

    assert SigningKey.objects.filter(retired_at=None).count() == SigningKey.objects.count() == 1


def test_a_get_without_credential_makes_no_key() -> None:
    assert Client().get("/.well-known/jwks.json").json() == {"keys": []}
    assert SigningKey.objects.count() == 0


def test_a_former_secret_goes_on_signing_until_a_rotation(settings: Any) -> None:
    settings.SECRET_KEY = OLD
    first = signing.current_key()
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = NEW, [OLD]

    signing.sign(b"x", typ="t")
    assert signing.current_key() == first
    second = signing.rotate(actor="test")
    settings.SECRET_KEY_FALLBACKS = []

    signing.sign(b"x", typ="t")
    assert signing.current_key() == second
    assert [key.kid for key in signing.usable_keys()] == [second.kid]


def test_without_the_former_secret_nothing_is_signed(settings: Any) -> None:
    settings.SECRET_KEY = OLD
    signing.current_key()
    settings.SECRET_KEY = NEW

    with pytest.raises(signing.SigningKeyUnavailable, match="SECRET_KEY_FALLBACKS"):
        signing.sign(b"x", typ="t")
    assert not signing.is_available()

    call_command("signing_keys", "rotate")
    signing.sign(b"x", typ="t")
