"""A decision costs one SQL statement through two indexes, and sees everything that was committed before it."""

from typing import Any

import pytest
from django.db import connection

from consent.models import DataSubject, Purpose
from consent.pseudonyms import subject_ref
from consent.register import register
from model_registry import services
from model_registry.models import Model, ModelVersion
from policies.decisions import evaluate, information
from policies.endpoints import credentials
from policies.endpoints.authzen import question_of
from policies.models import ServiceCredential
from tests.helpers import models
from tests.helpers.holds import Register as HoldRegister
from tests.helpers.holds import hold, refs, restriction
from tests.helpers.wsgi_calls import assert_problem, call, changed, question

MODEL = changed("resource.properties.model", "basket@1")


def _reasons(document: dict[str, Any]) -> list[str]:
    return [reason["code"] for reason in document["context"]["reasons"]]


@pytest.mark.parametrize("person", ["customer-1", "nobody"])
def test_a_decision_is_one_statement(shop_token: str, sql: list[str], person: str) -> None:
    call(question(person), shop_token)
    sql.clear()
    before = information.STATEMENT.executions

    answer = call(question(person), shop_token)

    assert answer.status == 200
    assert information.STATEMENT.executions == before + 1
    assert sql == []


def test_a_decision_within_the_process_is_one_statement(shop_token: str, sql: list[str]) -> None:
    evaluate.decide(question_of(question()), caller="service:test")
    sql.clear()
    before = information.STATEMENT.executions

    evaluate.decide(question_of(question()), caller="service:test")

    assert information.STATEMENT.executions == before + 1
    assert sql == []


def test_who_has_read_for_the_question_already_pays_no_statement(shop_token: str, sql: list[str]) -> None:
    asked = question_of(question())
    known = information.read(asked.subject_ref)
    evaluate.decide(asked, caller="service:test", known=known)
    sql.clear()
    before = information.STATEMENT.executions

    assert evaluate.decide(asked, caller="service:test", known=known).permitted
    assert information.STATEMENT.executions == before
    assert sql == []


def _scans(plan: dict[str, Any]) -> dict[str, str]:
    """Which way each table is read."""
    own = {plan["Relation Name"]: plan["Node Type"]} if "Relation Name" in plan else {}
    for part in plan.get("Plans", []):
        own |= _scans(part)
    return own


def test_people_and_credentials_are_found_through_their_indexes(shop_token: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO consent_datasubject (ref, region, age_band, revision, consents, restricted, held, created_at,"
            " updated_at) SELECT md5(n::text)::uuid, 'DE', 'adult', 1, '{}', false, false, now(), now()"
            " FROM generate_series(1, 20000) AS n"
        )
        cursor.execute(
            "INSERT INTO policies_servicecredential (name, token_hash, scopes, created_at, expires_at)"
            " SELECT 'many-' || n, sha256(n::text::bytea), '{decisions}', now(), now() FROM generate_series(1, 2000) n"
        )
        cursor.execute("ANALYZE consent_datasubject")
        cursor.execute("ANALYZE policies_servicecredential")
        for plan_mode in ("force_custom_plan", "force_generic_plan"):
            cursor.execute(f"SET LOCAL plan_cache_mode = {plan_mode}")
            cursor.execute(f"PREPARE asked (bytea, uuid, text) AS {information.STATEMENT.sql}")
            cursor.execute("EXPLAIN (FORMAT JSON) EXECUTE asked (sha256('7'), md5('7')::uuid, 'decisions')")
            scans = _scans(cursor.fetchone()[0][0]["Plan"])
            cursor.execute("DEALLOCATE asked")

            assert scans["consent_datasubject"] == "Index Scan", plan_mode
            assert scans["policies_servicecredential"] == "Index Scan", plan_mode
            # One row by its constraint: reading it is the cheapest there is.
            assert set(scans) == {"consent_datasubject", "policies_servicecredential", "policies_activebundle"}


def test_a_withdrawal_is_in_force_at_the_next_decision(consenting: Any) -> None:
    assert call(question(), consenting.token).json()["decision"] is True

    consenting.save("customer-1", "withdraw")

    answer = call(question(), consenting.token).json()
    assert answer["decision"] is False
    assert _reasons(answer)[0] == "consent_withdrawn"
    assert answer["context"]["subject_revision"] == 2


def test_a_consent_given_again_is_in_force_at_the_next_decision(consenting: Any) -> None:
    consenting.save("customer-1", "withdraw")
    assert call(question(), consenting.token).json()["decision"] is False

    consenting.save("customer-1", "give")

    assert call(question(), consenting.token).json()["decision"] is True


@pytest.mark.parametrize(
    ("column", "code"), [("restricted", "restricted"), ("held", "legal_hold")], ids=["restriction", "legal hold"]
)
def test_a_restriction_is_in_force_at_the_next_decision(shop_token: str, column: str, code: str) -> None:
    assert call(question(), shop_token).json()["decision"] is True

    DataSubject.objects.filter(ref=subject_ref("customer-1")).update(**{column: True})

    assert code in _reasons(call(question(), shop_token).json())


@pytest.mark.parametrize(("kind", "code"), [(restriction, "restricted"), (hold, "legal_hold")])
def test_a_hold_denies_its_purpose_from_its_commit_on(shop_token: str, kind: Any, code: str) -> None:
    officers, placed = HoldRegister(), kind(purposes=["recommendations"])
    permitted = call(question(), shop_token).json()
    assert permitted["decision"] is True

    officers.place(placed)
    assert _reasons(call(question(), shop_token).json()) == [code]

    officers.release(placed, **({"informed_on": "2026-11-01"} if kind is restriction else {}))
    assert call(question(), shop_token).json()["decision"] is True


def test_a_hold_of_another_purpose_denies_nothing(shop_token: str) -> None:
    HoldRegister().place(hold(purposes=["newsletter"]))

    assert call(question(), shop_token).json()["decision"] is True


def test_a_hold_on_a_person_without_choices_does_not_make_them_known(shop_token: str) -> None:
    before = _reasons(call(question("customer-unknown"), shop_token).json())

    HoldRegister().place(hold(people=refs("customer-unknown"), purposes=["newsletter"]))

    assert _reasons(call(question("customer-unknown"), shop_token).json()) == before


def test_a_material_notice_asks_again_at_the_next_decision(shop_token: str) -> None:
    purpose = Purpose.objects.get(slug="recommendations")

    register.publish_notice(purpose=purpose, text="A little clearer.", actor="test", is_material=False)
    assert call(question(), shop_token).json()["decision"] is True

    register.publish_notice(purpose=purpose, text="Something new.", actor="test")
    assert _reasons(call(question(), shop_token).json()) == ["renewal_required"]


def test_a_revoked_credential_is_refused_at_the_next_decision(shop_token: str) -> None:
    token, row = credentials.create_credential(name="other", scopes=["decisions"], actor="test")
    assert call(question(), token).status == 200

    credentials.revoke_credential(credential=row, actor="test")

    assert_problem(call(question(), token), 401, "unauthenticated")


def test_a_scope_taken_away_is_refused_at_the_next_decision(shop_token: str) -> None:
    assert call(question(), shop_token).status == 200

    ServiceCredential.objects.filter(name="shop").update(scopes=["events"])

    assert_problem(call(question(), shop_token), 403, "forbidden")


@pytest.fixture
def model(shop_token: str) -> ModelVersion:
    version = services.register_version(
        model=Model.objects.create(slug="basket", name="Basket"),
        purposes=[Purpose.objects.get(slug="recommendations")],
        actor="test",
    )
    return models.go_live(version)


def test_a_suspended_model_is_refused_at_the_next_decision(shop_token: str, model: ModelVersion) -> None:
    permitted = call(MODEL, shop_token).json()
    assert permitted["decision"] is True

    models.take(model, "suspended")

    answer = call(MODEL, shop_token).json()
    assert answer["decision"] is False
    assert _reasons(answer) == ["model_not_live"]
    assert answer["context"]["bundle_revision"] != permitted["context"]["bundle_revision"]


def test_a_model_taken_up_again_serves_at_the_next_decision(shop_token: str, model: ModelVersion) -> None:
    models.take(model, "suspended")
    assert call(MODEL, shop_token).json()["decision"] is False

    models.take(model, "live")

    assert call(MODEL, shop_token).json()["decision"] is True


@pytest.mark.parametrize(("wanted", "permitted"), [(0, True), (1, True), (2, False), (2**53 - 1, False)])
def test_a_read_older_than_the_caller_demands_decides_nothing(shop_token: str, wanted: int, permitted: bool) -> None:
    answer = call(changed("context.min_revision", wanted), shop_token).json()

    assert answer["decision"] is permitted
    assert _reasons(answer) == ([] if permitted else ["stale_read"])
