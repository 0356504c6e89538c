"""Credentials of services are granted by two officers, narrowed by one, and their token is in no draft or event."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import InternalError, connection, transaction
from django.db.utils import IntegrityError
from django.utils import timezone

from audit.models import AuditEvent
from oversight.changes import applying, approval, undoing
from oversight.changes.documents import Proposed
from oversight.models import Change, ChangeSet
from oversight.problems import ChangeRefused, NothingChanged, SecondOfficerNeeded
from oversight.rows import find_document
from policies.endpoints import credential_register, credentials
from policies.endpoints.credential_register import SERVICE_CREDENTIAL, credential_narrows
from policies.models import ServiceCredential
from tests.helpers.officers import signed_in, with_role
from tests.helpers.registers import drafted, in_force, make_officer, proposed_by, second_newest, without_writer

pytestmark = pytest.mark.django_db


@pytest.fixture
def anna(register_in_force: None):
    return make_officer("anna")


@pytest.fixture
def ben(register_in_force: None):
    return make_officer("ben")


def _grant(name: str = "till", number: int = 1, **members: Any) -> Proposed:
    document = {
        "name": name,
        "number": number,
        "scopes": ["decisions"],
        "repeatable_answers": False,
        "expires_at": (timezone.now() + timedelta(days=90)).isoformat(),
        "revoked_at": None,
        **members,
    }
    return Proposed("service_credential", f"{name}/{number}", document)


def _changed(name: str = "till", **members: Any) -> Proposed:
    document = find_document(SERVICE_CREDENTIAL, f"{name}/1")
    return Proposed("service_credential", f"{name}/1", {**document, **members})


def _granted(anna, ben, **members: Any) -> ServiceCredential:
    in_force(anna, ben, _grant(**members))
    return ServiceCredential.objects.get(name="till")


def _status(api, token: str) -> int:
    api.token = token
    return api.post("/api/v1/decisions", {}).status_code


def test_a_right_granted_by_two_has_no_token_until_one_is_made(anna, ben, api):
    credential = _granted(anna, ben)
    assert (credential.token_hash, credential.is_valid, credential.may_get_token) == (None, True, True)

    token = credentials.make_token(credential, actor=anna)

    assert _status(api, token) == 400, "let in, and asked for a question"
    with pytest.raises(credentials.TokenMade, match="made once"):
        credentials.make_token(credential, actor=anna)


def test_the_author_of_a_grant_does_not_approve_it(anna, ben):
    change_set = proposed_by(anna, _grant())

    with pytest.raises(SecondOfficerNeeded):
        approval.approve(change_set, actor=anna, seen=change_set.digest)
    with pytest.raises(ChangeRefused):
        applying.apply_protectively(drafted(ben, _grant()), actor=ben, reason="")
    assert not ServiceCredential.objects.filter(name="till").exists()


def test_neither_token_nor_hash_is_in_a_set_or_an_event(anna, ben):
    credential = _granted(anna, ben)
    token = credentials.make_token(credential, actor=anna)
    sooner = _changed(expires_at=(timezone.now() + timedelta(days=1)).isoformat())
    applying.apply_protectively(drafted(anna, sooner), actor=anna, reason="")

    stored = [*Change.objects.values_list("before", "after"), *AuditEvent.objects.values_list("details")]
    secrets = (token, credentials.token_hash(token).hex(), "token_hash")
    assert not [secret for secret in secrets if secret in str(stored)]
    assert AuditEvent.objects.get(action="credential.token_made").details["number"] == 1


@pytest.mark.parametrize(
    ("members", "narrows"),
    [
        ({"scopes": ["decisions"]}, True),
        ({"expires_at": "2027-01-01T00:00:00+00:00"}, True),
        ({"revoked_at": "2026-12-01T00:00:00+00:00"}, True),
        ({"scopes": ["decisions", "consents", "events"]}, False),
        ({"scopes": ["events"]}, False),
        ({"expires_at": "2029-01-01T00:00:00+00:00"}, False),
        ({"repeatable_answers": True}, False),
    ],
)
def test_fewer_scopes_or_a_nearer_end_only_narrow(members, narrows):
    before = _grant(scopes=["consents", "decisions"], expires_at="2028-01-01T00:00:00+00:00").after

    assert credential_narrows(before, {**before, **members}) is narrows
    assert not credential_narrows(None, before)
    assert not credential_narrows({**before, "revoked_at": "2026-12-01T00:00:00+00:00"}, before)


def test_one_officer_revokes_at_once_and_another_looks_afterwards(anna, ben, api):
    credential = _granted(anna, ben)
    token = credentials.make_token(credential, actor=anna)

    change_set = credential_register.revoke(credential, actor=anna)

    assert _status(api, token) == 401
    assert (change_set.kind, change_set.is_unreviewed) == ("protective", True)
    with pytest.raises(NothingChanged):
        credential_register.revoke(ServiceCredential.objects.get(pk=credential.pk), actor=anna)


def test_a_revoked_credential_never_comes_back(anna, ben):
    revoked = credential_register.revoke(_granted(anna, ben), actor=anna)

    with pytest.raises(ChangeRefused, match="stays revoked"):
        undoing.undo(revoked, actor=anna)
    with pytest.raises(ChangeRefused, match="stays revoked"):
        in_force(anna, ben, _changed(revoked_at=None))


def test_undoing_a_grant_revokes_it_by_one_officer(anna, ben):
    granted = in_force(anna, ben, _grant())

    applying.apply_protectively(undoing.undo(granted, actor=ben), actor=ben, reason="not needed")

    assert ServiceCredential.objects.get(name="till").revoked_at is not None


def test_a_name_has_one_credential_of_each_number(anna, ben):
    _granted(anna, ben)
    assert credentials.next_number("till") == 2

    in_force(anna, ben, _grant(number=2))

    assert [row.number for row in ServiceCredential.objects.filter(name="till")] == [1, 2]


@pytest.mark.parametrize(
    ("members", "said"), [({"scopes": []}, "scopes"), ({"scopes": ["everything"]}, "scopes"), ({"name": "a/b"}, "“/”")]
)
def test_a_grant_that_makes_no_sense_is_refused(anna, ben, members, said):
    change_set = drafted(anna, _grant(**members))

    assert change_set.has_errors
    assert said in str(change_set.findings)


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("INSERT INTO policies_servicecredential (name, scopes, created_at, expires_at) SELECT 'x', '{}', now(), now()",
         "is a register"),
        ("UPDATE policies_servicecredential SET scopes = '{decisions,consents}'", "is a register"),
        ("UPDATE policies_servicecredential SET expires_at = now() + interval '9 years'", "is a register"),
        ("DELETE FROM policies_servicecredential", "is a register"),
        ("UPDATE policies_servicecredential SET token_hash = '\\x01'", "made once"),
    ],
)  # fmt: skip
def test_the_database_refuses_rights_past_change_sets(register_in_force, statement, said):
    credentials.create_credential(name="shop", scopes=["decisions"], actor="test")

    with without_writer(), pytest.raises((InternalError, IntegrityError), match=said), transaction.atomic():
        connection.cursor().execute(statement)


def test_the_operators_command_needs_no_set_and_leaves_its_event(register_in_force):
    with without_writer():
        _token, credential = credentials.create_credential(name="shop", scopes=["decisions"], actor="operator")
        credentials.revoke_credential(credential=credential, actor="operator")

    assert not ChangeSet.objects.exists()
    events = AuditEvent.objects.filter(object="shop").order_by("position")
    assert [(event.action, event.actor) for event in events] == [
        ("credential.created", "operator"),
        ("credential.revoked", "operator"),
    ]


def test_an_officer_grants_by_the_form_and_copies_the_token_once(officer, send, api):
    form = {"name": "till", "scopes": ["decisions"], "expires_at_0": "2030-01-01", "expires_at_1": "00:00:00"}
    send("/admin/policies/servicecredential/add/", **form)
    assert not ServiceCredential.objects.filter(name="till").exists()
    second_newest()
    path = f"/admin/policies/servicecredential/{ServiceCredential.objects.get(name='till').pk}"

    assert "shown once" in officer.get(f"{path}/token/").content.decode()
    answer = officer.post(f"{path}/token/")

    token = answer.content.decode().split('translate="no">')[1].split("<")[0]
    assert "no-store" in answer["Cache-Control"]
    assert _status(api, token) == 400
    assert officer.get(f"{path}/token/").status_code == 403, "a token is made once"
    assert token not in officer.get(f"{path}/change/").content.decode()


def test_a_form_that_gives_more_drafts_and_one_that_gives_less_is_one_officers(officer, send):
    _token, credential = credentials.create_credential(name="shop", scopes=["decisions", "events"], actor="test")
    path = f"/admin/policies/servicecredential/{credential.pk}/change/"

    ends = {"expires_at_0": f"{credential.expires_at:%Y-%m-%d}", "expires_at_1": "00:00:00"}

    send(path, scopes=["decisions", "events", "consents"], **ends)
    widening = ChangeSet.objects.latest("id")
    assert not applying.only_narrows(applying.compared(widening))
    send(path, scopes=["decisions"], **ends)
    narrowing = ChangeSet.objects.latest("id")
    officer.post(f"/admin/changes/{narrowing.pk}/protective", {"seen": narrowing.digest})

    credential.refresh_from_db()
    assert credential.scopes == ["decisions"]


def test_an_auditor_reads_a_credential_and_changes_nothing(register_in_force):
    _token, credential = credentials.create_credential(name="shop", scopes=["decisions"], actor="test")
    browser = signed_in(with_role("carla", "auditor"))
    path = f"/admin/policies/servicecredential/{credential.pk}"

    assert "Ask the decision API" in browser.get(f"{path}/change/").content.decode()
    assert {browser.post(f"{path}/{step}/").status_code for step in ("change", "token", "revoke")} == {403}
    assert browser.get("/admin/policies/servicecredential/add/").status_code == 403
    assert ServiceCredential.objects.get().is_valid
