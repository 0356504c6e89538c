"""What another package than consent is told: properties it names, in words it names, and ids only if it asks."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from policies.bundles import loading, packages
from policies.bundles.packages import EntityFacts, Package
from policies.decisions import evaluate
from policies.endpoints.authzen.requests import entity_question_of
from policies.models import ActiveBundle
from tests.helpers.certification_cases import ALICE, BOB, READ, RECORD, WRITE, asked, having
from tests.helpers.wsgi_calls import call

PACKAGE = packages.read_register(
    {
        "packages": {
            "record": {
                "package": "governance.certification",
                "entity_ids": True,
                "actions": ["write", "read"],
                "properties": {"subject": {"role": ["admin", 3]}, "action": {"soft": [True]}},
            }
        },
        "entities": {"user": {"alice": {"role": "admin", "email": "a@example.org"}, "bob": {}}, "record": {}},
    }
)["record"]


def _facts(body: dict[str, Any], package: Package = PACKAGE) -> EntityFacts:
    return packages.build(entity_question_of(body), package, lambda kind, name: f"tag of a {kind}")


def _subject(body: dict[str, Any]) -> dict[str, Any]:
    subject: dict[str, Any] = json.loads(_facts(body).document)["subject"]
    return subject


def test_stored_properties_are_told_as_far_as_the_package_names_them() -> None:
    assert _subject(asked(ALICE, READ, RECORD)) == {
        "type": "user", "id": "alice", "known": True, "properties": {"role": "admin"},
    }  # fmt: skip


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ({}, {"role": "admin"}),
        ({"email": "b@example.org", "team": "x"}, {"role": "admin"}),
        ({"role": 3}, {"role": 3}),
        *(
            ({"role": value}, {"role": "unknown"})
            for value in ("clerk", None, True, 3.0, 4, ["admin"], {"admin": 1}, "Admin", "admin ", "")
        ),
    ],
)
def test_what_the_request_says_counts_before_what_is_stored(said: dict[str, Any], told: dict[str, Any]) -> None:
    assert _subject(asked(having(ALICE, **said), READ, RECORD))["properties"] == told


def test_one_is_not_true() -> None:
    facts = json.loads(_facts(asked(ALICE, having(READ, soft=1), RECORD)).document)

    assert facts["action"]["properties"] == {"soft": "unknown"}


def test_what_is_not_stored_is_not_known() -> None:
    unknown = json.loads(_facts(asked({"type": "jane", "id": "jane"}, {"name": "jane"}, RECORD)).document)

    assert (unknown["subject"]["type"], unknown["subject"]["known"]) == ("unknown", False)
    assert unknown["action"]["name"] == "unknown"
    assert unknown["resource"]["known"] is False


def test_the_log_gets_pseudonyms_for_ids() -> None:
    facts = _facts(asked(ALICE, READ, RECORD))

    assert b"alice" not in facts.logged
    assert b"record-1" not in facts.logged
    assert json.loads(facts.logged)["subject"]["ref"] == "tag of a user"


def test_a_package_that_does_not_ask_gets_no_ids() -> None:
    without = replace(PACKAGE, entity_ids=False)

    for facts in (_facts(asked(BOB, READ, RECORD), without), _facts(asked(BOB, WRITE, RECORD), without)):
        for document in (facts.document, facts.logged):
            assert b"bob" not in document
            assert b"record-1" not in document
            assert b"tag" not in document


def test_without_ids_entities_alike_share_an_answer(
    records_token: str, spooled: Callable[[], list[dict[str, Any]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    bundle = loading.loaded(ActiveBundle.objects.get().bundle_id)
    anonymous = replace(bundle.packages["record"], entity_ids=False)
    standing = replace(bundle, packages={"record": anonymous})
    monkeypatch.setattr(loading, "_loaded", {bundle.revision: standing})

    for user in ("alice", "carol", "alice"):
        call(asked({"type": "user", "id": user}, READ, RECORD), records_token)

    assert len(evaluate.ENTITY_VERDICTS) == 2, "known and unknown"
    assert "ref" not in spooled()[0]["facts"]["subject"]


def test_consent_has_no_routing_table_of_its_own() -> None:
    assert packages.read_register({"purposes": {}, "packages": {}}) == {}
