"""What ``signing_keys`` prints is what servers and tools can use."""

import json
from io import StringIO

import pytest
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from django.core.management import call_command

from policies.bundles import bundle_keys

pytestmark = pytest.mark.django_db


def _said(what: str) -> str:
    out = StringIO()
    call_command("signing_keys", what, stdout=out)
    return out.getvalue()


def test_the_bundle_key_is_printed_as_pem_and_as_the_shipped_configuration_takes_it() -> None:
    pem = _said("bundle-pem")
    told = dict(line.split("=", 1) for line in _said("opa").splitlines())

    joined = f"-----BEGIN PUBLIC KEY-----\n{told['ASSENT_PUBLIC_KEY']}\n-----END PUBLIC KEY-----\n".encode()
    assert told["ASSENT_KEY_ID"] == bundle_keys.current().kid
    assert load_pem_public_key(joined) == load_pem_public_key(pem.encode())


def test_after_a_rotation_both_keys_are_listed_and_printed() -> None:
    first = bundle_keys.current().kid

    listed = _said("rotate")

    assert "signs\n" in listed
    assert "can be asked for until" in listed
    kids = [key["kid"] for key in json.loads(_said("jwks"))["keys"]]
    assert first in kids
    assert bundle_keys.current().kid in kids
    assert _said("pem").startswith("-----BEGIN PUBLIC KEY-----")
