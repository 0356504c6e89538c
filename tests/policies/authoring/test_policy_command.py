"""`./assent policy`: two people bring a policy into force, one takes it back, and the trail tells all of it."""

import io
import json
import shutil
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.contrib.admin.utils import quote
from django.contrib.auth import get_user_model
from django.core.management import CommandError, call_command
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.test import Client
from joserfc import jws
from joserfc.jwk import ECKey

from audit.models import AuditEvent
from common.actors import Officer
from consent.models import Purpose
from consent.register import register
from oversight.models import Approval, WorkItem
from oversight.problems import SecondOfficerNeeded
from oversight.work import kinds
from policies import rego
from policies.authoring import lifecycle
from policies.bundles import bundle_file, publishing
from policies.models import ActiveBundle, Bundle, Policy, PolicyActivation, SimulationReport
from policies.registers import defaults
from tests.helpers.policy_engines import CASES
from tests.helpers.wsgi_calls import call, question

REGO = rego.FOLDER


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The shipped policies with one more reason."""
    made = tmp_path / "policies"
    shutil.copytree(REGO, made)
    shutil.copy(CASES / "data.json", made / "sample.json")
    _replace(made / "reasons.rego", '"purpose_unknown": 1,', '"purpose_unknown": 1,\n\t"closed_for_stocktaking": 0,')
    return made


@pytest.fixture(autouse=True)
def officers(shop_token: str) -> None:
    for name in ("anna", "berta"):
        get_user_model().objects.create_superuser(name)
    get_user_model().objects.create_user("visitor")


def _replace(file: Path, old: str, new: str) -> None:
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new))


def _policy(*arguments: Any) -> str:
    said = io.StringIO()
    call_command("policy", *map(str, arguments), stdout=said, stderr=said)
    return said.getvalue()


def _publish(folder: Path, name: str = "anna") -> Policy:
    _policy("publish", folder, "--as", name, "--note", "stocktaking")
    policy = Policy.objects.first()
    assert policy is not None
    call_command("simulate", str(policy), stdout=io.StringIO())
    return policy


def _in_force() -> Bundle:
    return ActiveBundle.objects.select_related("bundle").get().bundle


def _waiting() -> dict[str, str]:
    return dict(WorkItem.objects.filter(state="open").values_list("kind", "object"))


def _actions() -> list[str]:
    return list(AuditEvent.objects.order_by("position").values_list("action", flat=True))


def test_lint_and_test_say_what_is_wrong(folder: Path) -> None:
    assert "no finding" in _policy("lint", folder)
    assert "tests hold" in _policy("test", folder)

    _replace(folder / "levels.rego", "limit < requested_rank", "limit < requested_rank + 0.5")
    said = io.StringIO()
    with pytest.raises(CommandError, match="findings"):
        call_command("policy", "lint", str(folder), stdout=said, stderr=said)
    assert "levels.rego:" in said.getvalue()


def test_publishing_puts_nothing_into_force(folder: Path) -> None:
    before = _in_force()

    policy = _publish(folder)

    assert _in_force() == before
    assert (policy.author, policy.note) == ("officer:anna", "stocktaking")
    assert policy.checks["coverage"] >= 90
    assert AuditEvent.objects.filter(action="policy.published", object=policy.digest).exists()


def test_what_does_not_pass_is_not_published(folder: Path) -> None:
    _replace(folder / "levels_test.rego", "decision.lowest_rank == 0", "decision.lowest_rank == 4")

    with pytest.raises(CommandError):
        _publish(folder)
    assert not Policy.objects.exclude(author=publishing.SYSTEM).exists()


def test_another_person_activates_and_it_decides_at_the_next_question(folder: Path, shop_token: str) -> None:
    policy = _publish(folder)

    _policy("activate", str(policy), "--as", "berta")

    assert "closed_for_stocktaking" in _in_force().policies["reasons.rego"]
    assert call(question(), shop_token).json()["context"]["bundle_revision"] == _in_force().revision
    activation = publishing.last_activation()
    assert activation is not None
    assert (activation.kind, activation.author, activation.actor) == ("approved", "officer:anna", "officer:berta")
    assert {"policy.published", "bundle.activated", "policy.activated"} <= set(_actions())
    with pytest.raises(CommandError, match="in force"):
        _policy("activate", str(policy), "--as", "berta")


@pytest.mark.parametrize(("name", "why"), [("anna", "its author"), ("visitor", "No officer"), ("nobody", "No officer")])
def test_the_author_and_who_is_no_officer_cannot_activate(name: str, why: str, folder: Path) -> None:
    policy, before = _publish(folder), _in_force()

    with pytest.raises(CommandError, match=why):
        _policy("activate", str(policy), "--as", name)
    assert _in_force() == before


def test_a_policy_nobody_has_simulated_is_not_activated_and_the_refusal_says_what_to_run(folder: Path) -> None:
    policy, before = _publish(folder), _in_force()
    SimulationReport.objects.all().delete()

    with pytest.raises(CommandError, match=f"Run ./assent manage simulate {policy}"):
        _policy("activate", str(policy), "--as", "berta")
    assert _in_force() == before

    call_command("simulate", str(policy), stdout=io.StringIO())
    _policy("activate", str(policy), "--as", "berta")
    assert _in_force() != before


def test_publishing_the_same_again_makes_nobody_else_its_author(folder: Path) -> None:
    _publish(folder)

    assert _publish(folder, "berta").author == "officer:anna"


def test_the_database_refuses_one_person_too(folder: Path) -> None:
    policy = _publish(folder)

    with pytest.raises(IntegrityError, match="policies_two_persons"), transaction.atomic():
        PolicyActivation.objects.create(
            policy=policy, bundle=_in_force(), kind="approved", author=policy.author, actor=policy.author, reason=""
        )


def test_an_emergency_is_one_person_and_loud_until_another_confirms(folder: Path) -> None:
    policy = _publish(folder)
    with pytest.raises(CommandError, match="reason"):
        _policy("activate", str(policy), "--as", "anna", "--emergency")

    _policy("activate", str(policy), "--as", "anna", "--emergency", "--because", "people are harmed")

    event = AuditEvent.objects.get(action="bundle.activated_in_emergency")
    assert (event.object, event.actor) == (_in_force().revision, "officer:anna")
    assert event.details["because"] == "people are harmed"
    assert _waiting() == {"policy-review": policy.digest}
    carla = get_user_model().objects.create_superuser("carla")
    [(item, kind)] = kinds.waiting_for(carla)
    assert kind.describe(item.object) == f"Policy {policy}, by Officer anna: “people are harmed”"
    assert kinds.waiting_for(get_user_model().objects.get(username="anna")) == []
    for refused in ("activate", "confirm"):
        with pytest.raises(CommandError, match=r"its author|alone"):
            _policy(refused, str(policy), "--as", "anna")
    with pytest.raises(CommandError, match=f"policy confirm {policy} --as"):
        _policy("activate", str(policy), "--as", "berta")
    _policy("confirm", str(policy), "--as", "berta", "--because", "it was right")
    assert _waiting() == {}
    assert Approval.objects.get(verdict="reviewed").reason == "it was right"


def test_a_published_policy_waits_until_it_is_approved_or_refused(folder: Path) -> None:
    policy = _publish(folder)
    assert _waiting() == {"policy-approval": policy.digest}
    with pytest.raises(CommandError, match="Say why"):
        _policy("refuse", str(policy), "--as", "berta")

    _policy("refuse", str(policy), "--as", "berta", "--because", "too strict")

    assert _waiting() == {}
    for way in ([], ["--emergency"]):
        with pytest.raises(CommandError, match="was refused or withdrawn"):
            _policy("activate", str(policy), "--as", "berta", "--because", "now", *way)
    with pytest.raises(CommandError, match="does not wait"):
        _policy("refuse", str(policy), "--as", "berta", "--because", "again")
    _publish(folder)
    assert _waiting() == {"policy-approval": policy.digest}
    _policy("activate", str(policy), "--as", "berta")
    assert _waiting() == {}


def test_an_account_without_the_right_is_no_second_officer(folder: Path) -> None:
    policy = _publish(folder)
    carl = get_user_model().objects.create_user("carl", is_staff=True)

    for words in (["activate"], ["activate", "--emergency", "--because", "now"], ["refuse"], ["rollout", "start"]):
        with pytest.raises(CommandError, match="lacks the right"):
            _policy(*words, str(policy), "--as", "carl")
    with pytest.raises(SecondOfficerNeeded, match="lacks the right"):
        lifecycle.activate_policy(policy, actor=Officer.of("carl", carl.pk), reason="good")

    assert _in_force().policies != policy.modules


def test_its_author_withdraws_a_policy(folder: Path) -> None:
    policy = _publish(folder)

    _policy("refuse", str(policy), "--as", "anna", "--because", "a second thought")

    assert _waiting() == {}
    assert not Approval.objects.exists()
    assert "policy.withdrawn" in _actions()
    with pytest.raises(CommandError, match="was refused or withdrawn"):
        _policy("rollout", "start", str(policy), "--as", "anna")


def test_the_only_officer_activates_an_own_policy(folder: Path) -> None:
    policy = _publish(folder)
    call_command("single_officer", "on", stdout=io.StringIO())

    _policy("activate", str(policy), "--as", "anna")

    last = publishing.last_activation()
    assert last is not None
    assert (last.kind, Approval.objects.get().is_single) == ("single", True)


def test_rolling_back_brings_the_policy_before_over_todays_registers(folder: Path) -> None:
    shipped = _in_force().policies
    _policy("activate", str(_publish(folder)), "--as", "berta")
    register.save_purpose(Purpose(slug="loyalty", name="Loyalty", benefit="x"), actor="test")

    _policy("rollback", "--as", "anna", "--because", "it was wrong")

    assert _in_force().policies == shipped
    assert "loyalty" in json.loads(_in_force().data)["purposes"]
    assert "policy.rolled_back" in _actions()
    with pytest.raises(CommandError, match="No other policy"):
        _policy("rollback", "--as", "anna", "--because", "again")


def test_a_change_of_the_registers_keeps_the_policy_in_force(folder: Path) -> None:
    _policy("activate", str(_publish(folder)), "--as", "berta")

    register.save_purpose(Purpose(slug="loyalty", name="Loyalty", benefit="x"), actor="test")

    assert "loyalty" in json.loads(_in_force().data)["purposes"]
    assert "closed_for_stocktaking" in _in_force().policies["reasons.rego"]


@pytest.fixture
def new_release(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    def ship() -> None:
        policies = {**publishing.read_policies(), "more.rego": "package governance.decision\n"}
        monkeypatch.setattr(publishing, "read_policies", lambda: policies)

    return ship


def test_a_new_release_replaces_only_what_a_release_shipped(folder: Path, new_release: Callable[[], None]) -> None:
    _policy("activate", str(_publish(folder)), "--as", "berta")
    new_release()

    assert defaults.ensure_defaults() is False
    assert "closed_for_stocktaking" in _in_force().policies["reasons.rego"]


def test_what_was_gone_back_to_stays_at_the_next_start(new_release: Callable[[], None]) -> None:
    new_release()
    assert defaults.ensure_defaults() is True
    _policy("rollback", "--as", "anna", "--because", "it was wrong")

    assert defaults.ensure_defaults() is False
    assert "more.rego" not in _in_force().policies


def test_data_of_its_own_goes_along_and_replaces_no_register(folder: Path) -> None:
    (folder / "data.json").write_text('{"stocktaking": {"days": 2}}')
    _policy("activate", str(_publish(folder)), "--as", "berta")
    assert json.loads(_in_force().data)["stocktaking"] == {"days": 2}

    (folder / "data.json").write_text('{"schema": 1}')
    with pytest.raises(CommandError, match="schema"):
        _publish(folder)


def test_data_no_process_could_load_is_not_activated(folder: Path) -> None:
    (folder / "data.json").write_text('{"packages": {"x": {"package": "Not A Name", "actions": []}}, "entities": {}}')
    try:
        policy = _publish(folder)
    except CommandError:
        return  # the registers have the member: refused even earlier
    with pytest.raises(CommandError, match="load"):
        _policy("activate", str(policy), "--as", "berta")


def test_diff_shows_rules_line_by_line_and_data_path_by_path(folder: Path) -> None:
    before = _in_force().revision
    rules = _policy("diff", "active", folder)
    assert '+\t"closed_for_stocktaking": 0,' in rules

    register.save_purpose(Purpose(slug="loyalty", name="Loyalty", benefit="x"), actor="test")
    assert "+ data.purposes.loyalty" in _policy("diff", before[:19], "active")


def test_build_writes_the_same_file_for_the_same_revision(tmp_path: Path) -> None:
    first, second = tmp_path / "1.tar.gz", tmp_path / "2.tar.gz"

    _policy("build", "--revision", "active", "-o", first)
    _policy("build", "--revision", "active", "-o", second)

    bundle = _in_force()
    expected = bundle_file.write_bundle(bundle.revision, bundle.policies, json.loads(bundle.data))
    assert first.read_bytes() == second.read_bytes() == expected


def test_build_names_the_command_that_prints_its_key(tmp_path: Path) -> None:
    file = tmp_path / "bundle.tar.gz"

    said = _policy("build", "--revision", "active", "-o", file)

    command = said.split("./assent manage ")[1].split(" --home ")[0].split()
    printed = io.StringIO()
    call_command(*command, stdout=printed)
    with tarfile.open(file) as archive:
        member = archive.extractfile(next(name for name in archive.getnames() if name.endswith(".signatures.json")))
        assert member is not None
        (signature,) = json.load(member)["signatures"]
    jws.deserialize_compact(signature, ECKey.import_key(printed.getvalue()), algorithms=["ES256"])


@pytest.mark.parametrize("table", ["policies_policy", "policies_policyactivation"])
@pytest.mark.parametrize("statement", ["UPDATE {} SET author = 'x'", "DELETE FROM {}"])
def test_who_did_what_cannot_be_rewritten(table: str, statement: str) -> None:
    with (
        pytest.raises(DatabaseError, match="append-only"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement.format(table))


def _sign_in(name: str) -> Client:
    client = Client()
    client.force_login(get_user_model().objects.create_superuser(name))
    return client


def test_officers_see_activate_and_take_back_a_policy_on_its_page(folder: Path) -> None:
    policy = _publish(folder)
    page = f"/admin/policies/policy/{quote(policy.digest)}/"
    second = _sign_in("clara")
    assert "closed_for_stocktaking" in second.get(f"{page}change/").content.decode()
    before = _in_force()

    asked = second.get(f"{page}activate/")
    assert (asked.status_code, _in_force()) == (200, before)
    second.post(f"{page}activate/")
    assert "closed_for_stocktaking" in _in_force().policies["reasons.rego"]

    second.post(f"{page}roll-back/")
    assert _in_force().policies == before.policies


def test_the_author_is_refused_on_the_page_too(folder: Path) -> None:
    policy, before = _publish(folder), _in_force()
    get_user_model().objects.filter(username="anna").update(is_superuser=True)
    author = Client()
    author.force_login(get_user_model().objects.get(username="anna"))

    answer = author.post(f"/admin/policies/policy/{quote(policy.digest)}/activate/", follow=True)

    assert "its author" in answer.content.decode()
    assert _in_force() == before
