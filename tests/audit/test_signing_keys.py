"""A signing key outlives its secret, and only a command makes another."""

from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client

from audit import signing
from audit.models import SigningKey

pytestmark = pytest.mark.django_db
NEW, OLD = "the new secret of this instance, long", "the old secret of this instance, long"


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
