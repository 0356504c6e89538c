"""A receipt that an editor or a program saved again: genuine in another form, and not with another content.

Kind: a file that left the system and comes back. Its form (spaces, order, line ends, encoding) is no part of what was
signed; each of its values is.
"""

import json
from collections.abc import Callable
from typing import Any

import pytest

from audit.jws import NotGenuine
from consent.ledger import ledger
from consent.ledger.proof import Asked
from consent.pseudonyms import subject_ref
from consent.receipts import issuing
from consent.receipts.verifying import verify_file

pytestmark = pytest.mark.django_db
REF = subject_ref("customer-1")


@pytest.fixture
def file(register_in_force: None) -> dict[str, Any]:
    choice = ledger.Choice(purpose="newsletter", choice="give")
    asked = Asked(locale="en", interface="banner@1")
    request = ledger.Request(
        subject_ref=REF, choices=[choice], source="banner", actor="service:shop", region="DE", asked=asked
    )
    return issuing.issue(REF, ledger.save_choices(request).subject_revision)


def _pretty(file: Any) -> str:
    return json.dumps(file, indent=4, ensure_ascii=False)


FORMS: dict[str, Callable[[Any], bytes]] = {
    "pretty": lambda file: _pretty(file).encode(),
    "sorted": lambda file: json.dumps(file, sort_keys=True).encode(),
    "escaped": lambda file: json.dumps(file, ensure_ascii=True, separators=(",", ":")).encode(),
    "byte order mark and CRLF": lambda file: ("\ufeff" + _pretty(file).replace("\n", "\r\n")).encode(),
    "UTF-16 with a mark": lambda file: _pretty(file).encode("utf-16"),
    "UTF-16 without a mark": lambda file: _pretty(file).encode("utf-16-le"),
    "UTF-32": lambda file: _pretty(file).encode("utf-32"),
    "white space around": lambda file: b"\n\t " + _pretty(file).encode() + b" \r\n\n",
}


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_a_receipt_saved_again_in_another_form_is_genuine(file, form):
    assert verify_file(form(file)).receipt == file["receipt"]


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_a_changed_value_is_not_genuine_in_any_form(file, form):
    file["receipt"]["consent_record"]["processing"][0]["purpose"]["name"] += " "

    with pytest.raises(NotGenuine, match="not what was signed"):
        verify_file(form(file))


@pytest.mark.parametrize("data", [b"\xff\xfe\x00", "{}".encode("utf-16"), b"\xef\xbb\xbf", b"\x80{}"])
def test_bytes_that_are_no_receipt_are_refused_with_a_sentence(data):
    with pytest.raises(NotGenuine, match=r"^The file (is|can) .*\.$"):
        verify_file(data)
