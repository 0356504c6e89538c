"""Bundles: immutable revisions named by their content, one of them in force, none of them losing a change."""

import json
import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db import DatabaseError, IntegrityError, connection, connections, transaction

from audit.models import AuditEvent
from common.canonical import canonical_json, sha256
from common.http.problems import Conflict
from consent.models import Purpose
from consent.register import register
from policies.bundles import building, loading, publishing
from policies.models import Activation, ActiveBundle, Bundle
from policies.registers import defaults
from tests.helpers.polling import until_waiting_for_locks
from tests.helpers.wsgi_calls import call, question


def _in_force() -> Bundle:
    return ActiveBundle.objects.select_related("bundle").get().bundle


def _add(slug: str) -> Purpose:
    return register.save_purpose(Purpose(slug=slug, name=slug, benefit="x"), actor="test")


def test_publishing_what_is_in_force_changes_nothing(shop_token: str) -> None:
    before = (_in_force(), Bundle.objects.count(), Activation.objects.count(), AuditEvent.objects.count())

    bundle = publishing.publish("again", "test")

    assert bundle == before[0]
    assert (_in_force(), Bundle.objects.count(), Activation.objects.count(), AuditEvent.objects.count()) == before


def test_a_change_of_the_register_is_a_new_revision_in_force(shop_token: str) -> None:
    before = _in_force()

    _add("loyalty")

    after = _in_force()
    assert after.revision != before.revision
    assert "loyalty" in json.loads(after.data)["purposes"]
    assert "loyalty" not in json.loads(before.data)["purposes"]
    assert AuditEvent.objects.filter(action="bundle.activated", object=after.revision, actor="test").exists()


def test_going_back_is_another_activation_of_the_same_revision(shop_token: str) -> None:
    before = _in_force()
    purpose = _add("loyalty")

    purpose.is_active = False
    register.save_purpose(purpose, actor="test")

    assert _in_force() == before
    assert Bundle.objects.filter(revision=before.revision).count() == 1
    assert Activation.objects.filter(bundle=before).count() == 2


def test_an_earlier_revision_can_be_brought_back_into_force(shop_token: str) -> None:
    before = _in_force()
    _add("loyalty")

    publishing.activate(bundle=before, reason="it was wrong", actor="officer:test")

    assert call(question(), shop_token).json()["context"]["bundle_revision"] == before.revision
    assert Activation.objects.first().reason == "it was wrong"


def test_a_change_whose_bundle_cannot_be_made_is_not_made(shop_token: str, monkeypatch: pytest.MonkeyPatch) -> None:
    before = _in_force()

    def fail() -> dict[str, Any]:
        raise Conflict

    monkeypatch.setattr(building, "build_data", fail)

    with pytest.raises(Conflict):
        _add("loyalty")
    assert not Purpose.objects.filter(slug="loyalty").exists()
    assert _in_force() == before


def test_the_revision_is_the_digest_of_the_content(shop_token: str) -> None:
    for bundle in Bundle.objects.all():
        content = {"policies": bundle.policies, "data": json.loads(bundle.data)}
        assert bundle.revision == f"sha256:{sha256(canonical_json(content)).hex()}"


def test_another_policy_or_another_rule_is_another_revision(shop_token: str) -> None:
    policies, data = publishing.read_policies(), building.build_data()
    own = publishing.revision_of(policies, data)

    assert publishing.revision_of(dict(reversed(policies.items())), dict(reversed(data.items()))) == own
    assert publishing.revision_of({**policies, "more.rego": ""}, data) != own
    assert publishing.revision_of(policies, {**data, "segment": {"min_size": 21}}) != own


def test_a_bundle_holds_the_policies_without_their_tests(shop_token: str) -> None:
    names = set(_in_force().policies)

    assert "decision.rego" in names
    assert not [name for name in names if name.endswith("_test.rego")]


def test_what_a_process_loads_is_what_was_published(shop_token: str) -> None:
    row = _in_force()

    bundle = loading.loaded(row.revision)

    assert bundle.policies == row.policies
    assert bundle.data == {**json.loads(row.data), "revision": row.revision} == json.loads(bundle.data_json)
    assert loading.loaded(row.revision) is bundle


def test_a_revision_that_does_not_exist_is_missing(shop_token: str) -> None:
    with pytest.raises(loading.BundleMissing):
        loading.loaded("sha256:unheard-of")


def test_a_release_with_other_policies_brings_them_into_force(shop_token: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert defaults.ensure_defaults() is False
    policies = {**publishing.read_policies(), "more.rego": "package governance.decision\n"}
    monkeypatch.setattr(publishing, "read_policies", lambda: policies)

    assert defaults.ensure_defaults() is True
    assert _in_force().policies == policies


@pytest.mark.parametrize("table", ["policies_bundle", "policies_activation"])
@pytest.mark.parametrize("statement", ["UPDATE {} SET reason = 'x'", "DELETE FROM {}"])
def test_what_was_in_force_cannot_be_rewritten(shop_token: str, table: str, statement: str) -> None:
    with (
        pytest.raises(DatabaseError, match="append-only"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement.format(table))


@pytest.mark.django_db(transaction=True)
def test_what_was_in_force_cannot_be_emptied(register_in_force: None) -> None:
    for table in ("policies_bundle", "policies_activation"):
        with pytest.raises(DatabaseError, match="append-only"), connection.cursor() as cursor:
            cursor.execute(f"TRUNCATE {table} CASCADE")
    assert _in_force()


def test_only_one_revision_is_in_force(shop_token: str) -> None:
    row = ActiveBundle.objects.get()

    with pytest.raises(IntegrityError), transaction.atomic():
        ActiveBundle.objects.create(id=2, bundle=row.bundle, activated_at=row.activated_at)


def _in_thread(do: Callable[[], object]) -> threading.Thread:
    def run() -> None:
        try:
            do()
        finally:
            connections.close_all()

    thread = threading.Thread(target=run)
    thread.start()
    return thread


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("first_ever", [False, True], ids=["in use", "before the first publication"])
def test_two_changes_at_once_are_both_in_the_bundle(register_in_force: None, first_ever: bool) -> None:
    if first_ever:
        ActiveBundle.objects.all().delete()

    with transaction.atomic():
        _add("first")
        other = _in_thread(lambda: _add("second"))
        until_waiting_for_locks()
    other.join()

    assert {"first", "second"} <= set(json.loads(_in_force().data)["purposes"])
