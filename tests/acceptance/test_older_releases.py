"""Databases that older releases wrote come up to this one: nothing is lost, and decisions are what they were."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from common.postgres.databases import further_database
from tests.helpers.paths import CHECKOUT

pytestmark = pytest.mark.acceptance
RELEASES = CHECKOUT / "tests" / "data" / "releases"
_SETTINGS = ("DJANGO_SETTINGS_MODULE", "SECRET_KEY_FILE", "SUBJECT_KEY_FILE", "PGOPTIONS", "PYTHONPATH")
Found = dict[str, Any]
# What this release answers otherwise, because an agreement covers no more than its notice version names: an inherited
# yes what the broader purpose names, and no data that was added to the purpose later.
_NARROWER = {
    ("kim", "recommendations", "personalize"): [True, "behavioral", "renewal_required"],
    ("kim", "recommendations", "collect"): [False, None, "renewal_required"],
    ("kim", "recommendations", "train"): [False, None, "renewal_required"],
    ("fred", "loyalty", "personalize"): [True, "individual", "renewal_required"],
    ("greta", "loyalty", "personalize"): [True, "individual", "renewal_required"],
}


@pytest.fixture(scope="module", params=["4e4dd1b", "dca1b62"])
def release(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def recorded(release: str) -> Found:
    found: Found = json.loads((RELEASES / f"{release}.json").read_text(encoding="utf-8"))
    return found


@pytest.fixture(scope="module")
def database(release: str) -> Iterator[str]:
    """The URL of an empty database beside that of the tests."""
    with further_database(f"released_{release}_{os.getpid()}") as url:
        yield url


@pytest.fixture(scope="module")
def upgraded(release: str, recorded: Found, database: str, tmp_path_factory: pytest.TempPathFactory) -> Found:
    home = tmp_path_factory.mktemp("home")
    environment = {
        **{name: value for name, value in os.environ.items() if name not in _SETTINGS},
        "DJANGO_SETTINGS_MODULE": "governance.settings.local",
        "PYTHONPATH": str(CHECKOUT),
        "ASSENT_HOME": str(home),
        "DATABASE_URL": database,
        "BROKER_URL": "memory://",
        "SECRET_KEY": recorded["keys"]["secret_key"],
        "SUBJECT_KEY": recorded["keys"]["subject_key"],
    }
    command = [sys.executable, "-m", "tests.helpers.upgraded_release", str(RELEASES), release]
    done = subprocess.run(command, cwd=home, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-6000:]
    found: Found = json.loads((home / "found.json").read_text(encoding="utf-8"))
    return {**found, "migrated": done.stdout}


def _asked(question: Found) -> tuple[str, str]:
    return question["action"]["properties"]["purpose"], question["action"]["name"]


def test_all_of_it_is_there(upgraded: Found, release: str) -> None:
    lost = upgraded["lost"]
    rewritten = [(row["kind"], row["weight"]) for row in lost.pop("personalization_event", [])]
    # The version that served is live now, and has its grace (migration 0006 of model_registry).
    served = [row["status"] for row in lost.pop("model_registry_modelversion")]
    gone = [row["author"] for row in lost.pop("policies_policydraft")]

    assert upgraded["events"] == 4352
    # A new revision is in force. A draft of no account has no author who could open it (migration 0017 of policies).
    assert (list(lost), gone) == (["policies_activebundle"], ["officer:gone"])
    assert (served, upgraded["models"]) == (["approved"], [["live", True]])
    assert upgraded["drafts"] == [["olga", "a.rego"]]
    # Ratings keep their value, and one below the middle weighs nothing (migration 0003 of personalization).
    assert rewritten == ([("rating", 2)] if release == "4e4dd1b" else [])
    assert upgraded["ratings"] == [[2, 0], [5, 5]]


def test_evidence_of_an_older_release_verifies_in_full(upgraded: Found) -> None:
    lines = upgraded["verified"].splitlines()

    assert [line for line in lines if "intact" not in line and not line.startswith("Not covered")] == []
    assert len(lines) == 9
    assert "BROKEN" not in upgraded["verified_at_last"]
    assert "REFUSED" not in upgraded["verified_at_last"]


def test_nothing_is_left_to_migrate_or_prepare(upgraded: Found) -> None:
    assert "REFUSED" not in json.dumps(upgraded["printed"])
    assert (upgraded["pending"], upgraded["prepared_again"]) == ("", "")


def test_decisions_are_what_they_were(upgraded: Found, recorded: Found) -> None:
    changed = {
        (person, *_asked(question)): after
        for person, answers in recorded["answers"].items()
        for question, before, (after, _) in zip(
            recorded["questions"], answers, upgraded["answers"][person], strict=True
        )
        if before != after
    }

    assert changed == _NARROWER
    assert {True, False} == {answer[0] for answers in upgraded["answers"].values() for answer, _ in answers}


def test_earlier_consents_are_not_stretched(upgraded: Found, recorded: Found) -> None:
    [number] = [n for n, question in enumerate(recorded["questions"]) if _asked(question)[0] == "loyalty"]
    left_out = {
        person: [duty["properties"]["categories"] for duty in upgraded["answers"][person][number][1]
                 if duty["type"] == "exclude_categories"]
        for person in ("fred", "greta", "hanna")
    }  # fmt: skip

    assert left_out == {"fred": [["location"]], "greta": [["location"]], "hanna": []}


def test_receipts_of_an_older_release_verify(upgraded: Found) -> None:
    # What it issued, and what this one issues for the same choices.
    assert upgraded["receipts"] == [[True, True]] * 6


def test_a_withdrawal_counts_for_a_person_of_an_older_release(upgraded: Found) -> None:
    answer, removed = upgraded["withdrawn"]

    assert answer == [False, "none", "consent_withdrawn"]
    assert removed == {"events": 2}


def test_held_and_restricted_people_stay_so_in_the_registers(upgraded: Found, recorded: Found) -> None:
    people = recorded["people"]

    assert upgraded["holds"] == [["hold", people["jon"]], ["restriction", people["ida"]]]


def test_a_budget_and_its_statistic_stay_as_they_were(upgraded: Found) -> None:
    """Nightly at .5 for ever, as it was approved; what was spent is recomputed from the charges."""
    assert upgraded["statistics"] == [["consent-rate-by-region", "rate", "0.5000", "night", "consents", "ever", True]]


def test_officers_keep_what_they_may_do(upgraded: Found) -> None:
    before, after = upgraded["rights"]

    assert [right for right in before if right not in after] == []
    assert upgraded["pages"] == {
        "olga": [200, 200, 200, 200],
        "piet": [200, 200, 200, 403],
        "uma": [200, 200, 403, 200],
        "vera": [302, 302, 302, 302],
    }


def test_accounts_from_before_the_trail_are_vouched_for(upgraded: Found, release: str) -> None:
    # The trail of the older one does not say who made an account, so an approval needs the operator's word for it.
    assert ("./assent officers vouch" in upgraded["change_set"]["refused"]) is (release == "4e4dd1b")


def test_officers_bring_a_change_set_into_force(upgraded: Found) -> None:
    change = upgraded["change_set"]

    assert (change["state"], change["benefit"]) == ("in_force", "News about what you like, and nothing else.")


def test_people_who_agreed_to_less_are_reported(upgraded: Found) -> None:
    assert (
        "loyalty: 2 people agreed to version 1 of the notice, which is not proven to name location."
        in (upgraded["migrated"])
    )
    assert "agreed to version 2" not in upgraded["migrated"]
