"""What cannot be decided is refused under its own status: never a 500, never a permit, and nobody's data repeated."""

import json
import logging
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from policies.endpoints import credentials
from policies.models import ServiceCredential
from tests.helpers.wsgi_calls import WsgiResponse, assert_problem, call, changed, question

PERSON = "jane.doe@example.org"
VALID = json.dumps(question(PERSON)).encode()


def _as_text(place: str, literal: str) -> bytes:
    """The question with ``literal`` written where a value stands, as no JSON writer would write it."""
    return json.dumps(changed(place, "@here@") | {"note": PERSON}).replace('"@here@"', literal).encode()


def _twice(member: str) -> bytes:
    return VALID[:-1] + b", " + member.encode() + b"}"


BAD: dict[str, tuple[int, str, bytes]] = {
    "cut off": (400, "invalid_request", VALID[:-1]),
    "two documents": (400, "invalid_request", VALID + VALID),
    "a comma too many": (400, "invalid_request", VALID[:-1] + b",}"),
    "NaN": (400, "invalid_request", _as_text("context.min_revision", "NaN")),
    "Infinity": (400, "invalid_request", _as_text("context.weight", "-Infinity")),
    "a number beyond floats": (400, "invalid_request", _as_text("context.weight", "1e999")),
    "an integer beyond 2^53": (400, "invalid_request", _as_text("context.min_revision", "9007199254740992")),
    "an integer of 5000 digits": (400, "invalid_request", _as_text("context.min_revision", "9" * 5_000)),
    "a second subject": (400, "invalid_request", _twice('"subject": {"type": "data_subject", "id": "x"}')),
    "a second subject behind white space": (400, "invalid_request", _twice('"subject" \n: {"type": "a", "id": "x"}')),
    "a second subject in escapes": (400, "invalid_request", _twice('"\\u0073ubject": {"type": "a", "id": "x"}')),
    "a second purpose": (
        400,
        "invalid_request",
        VALID.replace(b'"purpose": "recommendations"', b'"purpose": "newsletter", "purpose": "recommendations"'),
    ),
    "nested 100 deep": (400, "invalid_request", _as_text("context.deep", "[" * 100 + "]" * 100)),
    "nested 100000 deep": (400, "invalid_request", b'{"a":' * 50_000),
    "half a surrogate pair": (400, "invalid_request", _as_text("subject.id", f'"{PERSON}\\ud800"')),
    "half a surrogate pair in a name": (400, "invalid_request", _twice('"\\udfff": 1')),
    "not UTF-8": (400, "invalid_request", VALID.replace(b"jane", b"j\xffne")),
    "UTF-16": (400, "invalid_request", VALID.decode().encode("utf-16")),
    "a byte order mark": (400, "invalid_request", b"\xef\xbb\xbf" + VALID),
    "a form": (400, "invalid_request", f"subject={PERSON}".encode()),
    "an id that is no string": (400, "invalid_request", json.dumps(changed("subject.id", {"mail": PERSON})).encode()),
    "an id of 10000 characters": (400, "invalid_request", json.dumps(changed("subject.id", PERSON * 500)).encode()),
    "a purpose that is no string": (
        400,
        "invalid_request",
        json.dumps(changed("action.properties.purpose", [PERSON])).encode(),
    ),
    "a category that is no string": (
        400,
        "invalid_request",
        json.dumps(changed("resource.properties.data_categories", [{PERSON: PERSON}])).encode(),
    ),
    "256 KiB and one byte": (413, "body_too_large", VALID + b" " * (256 * 1024 + 1 - len(VALID))),
    "one MiB": (413, "body_too_large", VALID + b" " * 2**20),
}


def _assert_silent(answer: WsgiResponse, caplog: pytest.LogCaptureFixture, spool: Path) -> None:
    written = [path.read_text() for path in spool.glob("*")] if spool.exists() else []
    for text in (answer.body.decode(), str(answer.headers), caplog.text, *written):
        assert "jane" not in text
        assert "example.org" not in text


@pytest.mark.parametrize(("status", "code", "body"), BAD.values(), ids=BAD)
def test_a_bad_body_is_refused_without_repeating_it(
    shop_token: str, own_spool: Path, caplog: pytest.LogCaptureFixture, status: int, code: str, body: bytes
) -> None:
    caplog.set_level(logging.DEBUG)

    answer = call(body, shop_token)

    assert_problem(answer, status, code)
    _assert_silent(answer, caplog, own_spool)
    assert not own_spool.exists(), "something was logged as decided"


def test_a_body_of_exactly_256_kib_is_read(shop_token: str) -> None:
    assert call(VALID + b" " * (256 * 1024 - len(VALID)), shop_token).status == 200


@pytest.mark.parametrize("length", ["262145", "9" * 5_000, "²", "-1", "many", ""])
def test_a_stated_length_is_not_trusted(shop_token: str, length: str) -> None:
    refused = length.isdecimal()

    answer = call(VALID, shop_token, CONTENT_LENGTH=length)

    assert answer.status == (413 if refused else 200)


UNKNOWN = {
    "a person nobody knows": (question("nobody"), "subject_unknown"),
    "a type of subject nobody uses": (changed("subject.type", "robot"), "subject_type_unknown"),
    "a purpose": (changed("action.properties.purpose", "unheard_of"), "purpose_unknown"),
    "no purpose": (changed("action.properties", {}), "purpose_missing"),
    "a recipient": (changed("action.properties.recipient", "Mail-House"), "recipient_unknown"),
    "an action": (changed("action.name", "dance"), "action_not_allowed"),
    "a region of the person": (changed("subject.properties", {"region": "ZZ"}), "region_unknown"),
    "a region of processing": (changed("context.processing_region", "moon-1"), "residency"),
    "a model": (changed("resource.properties.model", "nobody@7"), "model_unknown"),
    "a category": (changed("resource.properties.data_categories", ["dreams"]), "category_not_allowed"),
    "a revision to come": (changed("context.min_revision", 2), "stale_read"),
    "a revision far ahead": (changed("context.min_revision", 2**53 - 1), "stale_read"),
}


@pytest.mark.parametrize(("body", "code"), UNKNOWN.values(), ids=UNKNOWN)
def test_what_nobody_knows_is_denied_for_that(shop_token: str, body: dict[str, Any], code: str) -> None:
    answer = call(body, shop_token)

    assert answer.status == 200
    assert answer.json()["decision"] is False
    assert code in [reason["code"] for reason in answer.json()["context"]["reasons"]]


def _credential(*scopes: str, lasts: timedelta = timedelta(days=1)) -> tuple[str, ServiceCredential]:
    return credentials.create_credential(name="other", scopes=scopes or ["decisions"], actor="test", lifetime=lasts)


@pytest.mark.parametrize("path", ["/access/v1/evaluation", "/api/v1/consents", "/api/v1/consents/state"])
def test_credentials_that_ended_are_refused_alike(shop_token: str, path: str) -> None:
    scopes = ["decisions", "consents"]
    # By minutes: the database's clock stands still since this transaction began.
    expired = _credential(*scopes, lasts=timedelta(minutes=-5))[0]
    revoked, row = _credential(*scopes)
    credentials.revoke_credential(credential=row, actor="test")

    refusals = [call(VALID, token, path=path) for token in (expired, revoked, "never-existed")]

    for refusal in refusals:
        assert_problem(refusal, 401, "unauthenticated")
    assert len({refusal.body for refusal in refusals}) == 1


@pytest.mark.parametrize("path", ["/access/v1/evaluation", "/api/v1/consents", "/api/v1/consents/state"])
def test_a_credential_without_the_scope_is_403(shop_token: str, path: str) -> None:
    token = _credential("events")[0]

    assert_problem(call(VALID, token, path=path), 403, "forbidden")


def test_a_credential_ends_with_its_last_moment(shop_token: str) -> None:
    token, row = _credential()
    assert call(question(), token).json()["decision"] is True

    # The database's clock stands still within this transaction.
    ServiceCredential.objects.filter(pk=row.pk).update(expires_at=timezone.now() - timedelta(minutes=5))

    assert_problem(call(question(), token), 401, "unauthenticated")


def test_no_part_of_a_token_is_logged_or_answered(
    shop_token: str, own_spool: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)

    answers = [call(question(), shop_token), call(question(), shop_token + "x"), call(b"{", shop_token)]

    spooled = "".join(path.read_text() for path in own_spool.glob("*.spool"))
    for text in (caplog.text, spooled, *(answer.body.decode() for answer in answers)):
        assert shop_token.removeprefix("assent_")[:12] not in text
