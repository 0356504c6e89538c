"""One person is one pseudonym at every door, and what names no one person is refused at every door.

Kinds: the same id with invisible or decomposed characters (a withdrawal must reach the person), and texts that programs
write for several people at once (rounded numbers, words for a missing value), which no append-only ledger can undo.
"""

import unicodedata
from typing import Any

import pytest

from consent.models import DataSubject
from consent.pseudonyms import checked, normal, ref_as_typed, subject_ref
from governance.oidc import tokens
from governance.oidc.client import SignInRefused
from tests.helpers.wsgi_calls import changed

SPELLINGS = [
    "x\ufe0f",
    "x\u2800",
    "\u3164x",
    "x\u034f",
    " x",
    "x ",
    "x\n",
    "\tx",
    "x\u00a0",
    "\ufeffx",
    "x\u200b",
    "\u2060x\u00ad",
    "\u202ax\u202c",
    "\u3000x",
]
MANY = ["4.91512E+12", "-4.9E-3", "4,91512E+12", "1e+05", "12345.0", "null", "NULL", "nan", "N/A", "#N/A", "undefined"]
MANY += ["<NA>", "None", "\\N", " null ", "   ", "\u00a0", "\u200b", "a\x00b", "a\u200bb", "a\u2028b"]
# Of libraries (Java, C, JavaScript), of spreadsheets in other languages, and of templates that were not filled in.
MANY += ["4.91512E12", "4.91512e12", "4915,0", "-1.#IND", "1.#QNAN", "-Infinity", "nil", "undef", "[object Object]"]
MANY += ["(null)", "[null]", "(blank)", "true", "FALSE", "00000000-0000-0000-0000-000000000000", "{{ user.id }}"]
MANY += [
    "${id}",
    "%%EMAIL%%",
    "*|EMAIL|*",
    "#WERT!",
    "#\u00a1REF!",
    "#NOM?",
    "#NV",
    "#N/D",
    "#NA",
    "#N/A N/A",
    "Err:502",
]
MANY += ['="0012"', "########", "-", "--", "?", "''", "*", "\u2800", "\u3164", "a\u034fb", "a\u115fb", "a\U000e0020b"]
ONE = [
    "1e5",
    "12e45",
    "a@b",
    "-7",
    "nil@example.org",
    "#42",
    "trueman",
    "Infinity Ward",
    "\u2764\ufe0fx",
    "\uff41\uff4e\uff4e\uff41",
    "12345",
    "1.2.3",
    "nancy",
    "nullius@example.org",
    "O'Brien",
    "a b",
    "0",
    "\u0645\u06cc\u200c\u062e",
]


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_invisible_ends_make_no_other_person(spelling: str) -> None:
    assert checked(spelling) == "x"
    assert subject_ref(spelling) == subject_ref("x")


def test_a_decomposed_id_is_the_composed_one() -> None:
    # RFC 6532, section 3.1: normalisation form C.
    composed = "j\u00fcrgen.beispiel@m\u00fcnchen.example"

    assert subject_ref(unicodedata.normalize("NFD", composed)) == subject_ref(composed)


@pytest.mark.parametrize("space", ["\u00a0", "\u2003", "\u202f", "\u3000"])
def test_any_white_space_inside_is_a_plain_space(space: str) -> None:
    # RFC 8265, section 4.2.2, rule 2: a page or a spreadsheet writes another one than a person types.
    assert subject_ref(f"Anna{space}Beispiel") == subject_ref("Anna Beispiel")


def test_width_is_kept_like_case() -> None:
    # RFC 8265, section 4.2.2, rule 1: no width mapping; a compatibility form may be another id.
    assert subject_ref("\uff41") != subject_ref("a")


def test_case_is_kept_since_an_id_need_not_be_an_address() -> None:
    assert subject_ref("Anna") != subject_ref("anna")


@pytest.mark.parametrize("given", ["customer-1", "Anna.Beispiel@Example.org", "a  b", "\u00fc", "42"])
def test_a_normal_id_keeps_its_pseudonym(given: str) -> None:
    assert subject_ref(given) == ref_as_typed(given)


@pytest.mark.parametrize("given", ["data_subject ", "data_subject\u200b"])
def test_a_type_has_one_spelling_too(given: str) -> None:
    assert subject_ref("x", subject_type=given) == subject_ref("x")


@pytest.mark.parametrize("given", MANY)
def test_a_text_that_names_no_one_person_is_refused(given: str) -> None:
    with pytest.raises(ValueError, match="one person"):
        checked(given)


@pytest.mark.parametrize("given", ONE)
def test_an_id_that_only_looks_like_one_is_taken(given: str) -> None:
    assert checked(given) == normal(given) == given


PATHS = (
    "/api/v1/consents/state", "/api/v1/consents/history", "/api/v1/consents/receipts", "/api/v1/dashboard-links",
    "/api/v1/dashboard-links/revoke",
)  # fmt: skip


def _save(api: Any, given: str, choice: str = "give") -> Any:
    body = {"subject": {"id": given, "region": "DE", "age_band": "adult"}}
    return api.post("/api/v1/consents", {**body, "choices": [{"purpose": "newsletter", "choice": choice}]})


@pytest.mark.django_db
def test_every_door_finds_the_same_person(api: Any, register_in_force: None) -> None:
    assert _save(api, "anna@example.org").status_code == 201
    assert _save(api, " anna@example.org\u00a0", "withdraw").status_code == 201

    assert DataSubject.objects.count() == 1
    for path in ("/api/v1/consents/state", "/api/v1/consents/history", "/api/v1/dashboard-links"):
        assert api.post(path, {"subject": {"id": "\ufeffanna@example.org"}}).status_code in (200, 201), path


@pytest.mark.django_db
@pytest.mark.parametrize("given", ["4.91512E+12", "nan", "   ", "a\x01b"])
def test_every_door_refuses_what_names_no_one_person(api: Any, register_in_force: None, given: str) -> None:
    assert _save(api, given).status_code == 400
    for path in PATHS:
        answer = api.post(path, {"subject": {"id": given}})
        assert (answer.status_code, answer.json()["code"]) == (400, "invalid_request"), path
        assert given.strip() == "" or given not in answer.json()["detail"]
    assert not DataSubject.objects.exists()


@pytest.mark.django_db
@pytest.mark.parametrize("given", [" x\u00a0", "\ufeffx"])
def test_a_decision_finds_the_person_under_any_spelling(api: Any, register_in_force: None, given: str) -> None:
    api.save("x", "give")

    found = [api.evaluate(changed("subject.id", spelling))[1]["context"]["level"] for spelling in ("x", given)]

    assert found[0] == found[1]
    assert api.evaluate(changed("subject.id", "nan"))[0] == 400


def test_sign_in_refuses_a_claim_that_names_no_one_person() -> None:
    assert tokens._one_person(" anna ") == "anna"
    with pytest.raises(SignInRefused):
        tokens._one_person("null")
