"""Releases with pseudonyms: what the policy is asked, the vault, its reversal, and what an erasure takes from it."""

import csv
import json
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from audit.models import AuditEvent
from consent.pseudonyms import subject_ref
from oversight import guard
from policies import release_gate
from policies.bundles import publishing as bundles
from privacy.anonymisation.actions import hashing
from privacy.models import DisclosureLimits, PersonKey, TableRelease, VaultToken
from privacy.releases import profiling, publishing, uploads, verifying
from privacy.releases.problems import AskedWrongly, NoSuchToken
from privacy.releases.profiling import Role
from privacy.releases.pseudonyms import keys, vault
from tests.helpers.officers import signed_in, with_role
from tests.privacy.releases.conftest import ANN, BEN, PARTY, PURPOSE
from tests.privacy.rights.erasure.conftest import erased, home  # noqa: F401 (a fixture)

pytestmark = pytest.mark.django_db
ROLES = {
    "customer_id": "person",
    "age": "quasi",
    "phone": "direct",
    "mail": "direct",
    "seen": "other",
    "note": "direct",
}
ACTIONS = ("customer_id=hash", "phone=token", "mail=shred", "seen=shift:days=9", "note=redact")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    lines = ["customer_id,age,phone,mail,seen,note"]
    for n in range(60):
        lines.append(
            f"c{n},{30 + n % 2},+34 612 345 {n:03d},u{n}@x.org,2024-02-{1 + n % 28:02d},from u{n}@x.org on call"
        )
    path = tmp_path / "calls.csv"
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.fixture
def pseudonymous(made):
    def make(**changes):
        row = made(**{"roles": ROLES, "actions": ACTIONS, "k": 10, "l": 1, **changes})
        assert (row.state, row.error) == ("done", "")
        return row

    return make


def _copy(row) -> list[dict[str, str]]:
    return list(csv.DictReader(uploads.copy_of(row).read_text().splitlines()))


def _let_pseudonyms_leave() -> None:
    with guard.writing("test"):
        DisclosureLimits.objects.update_or_create(defaults={"person_key": "warn"})
    bundles.publish("Pseudonyms may leave", "test")


def test_the_copy_shows_pseudonyms_and_no_identifier(pseudonymous):
    row = pseudonymous()

    first, *_ = copy = _copy(row)
    assert list(first) == ["customer_id", "age", "phone", "mail", "seen", "note"]
    assert [each["customer_id"] for each in copy] == [hashing.pseudonym(f"c{n}", keys.ring()) for n in range(60)]
    text = uploads.copy_of(row).read_text()
    assert "612 345" not in text
    assert "@" not in text
    assert first["note"] == "from [email] on call"
    assert VaultToken.objects.count() == PersonKey.objects.count() == 60
    assert b"612 345" not in b"".join(bytes(sealed) for sealed in VaultToken.objects.values_list("sealed", flat=True))


def test_the_policy_refuses_a_person_key_unless_the_limits_only_warn(pseudonymous):
    row = pseudonymous()
    assert [reason.code for reason in publishing.verdict_of(row).reasons] == ["person_key"]

    _let_pseudonyms_leave()
    verdict = publishing.verdict_of(row)
    assert (verdict.is_permitted, [warned.code for warned in verdict.warnings]) == (True, ["person_key"])


def test_k_is_that_of_people_whose_rows_a_pseudonym_joins(made, tmp_path):
    path = tmp_path / "twice.csv"
    ages = [(30, 60) if n == 0 else (30, 30) if n % 2 else (60, 60) for n in range(40)]
    path.write_text("customer_id,age\n" + "".join(f"c{n},{age}\n" for n, both in enumerate(ages) for age in both))

    row = made(
        uploads.take_file(path, actor=ANN), roles={"customer_id": "person", "age": "quasi"}, k=10, l=1,
        actions=("customer_id=hash",),
    )  # fmt: skip

    facts = publishing.facts_of(row)
    assert row.report["result"]["smallest_class"] >= 10
    assert (facts.k, facts.person_key) == (1, True)


def test_a_policy_that_knows_nothing_of_pseudonyms_lets_none_leave(pseudonymous, monkeypatch):
    row = pseudonymous()
    _let_pseudonyms_leave()
    real = release_gate.loading.usable

    def older(pk):
        bundle = real(pk)
        texts = {name: text.replace("input.person_key", "input.days") for name, text in bundle.policies.items()}
        return bundle.__class__(**{**vars(bundle), "policies": texts}) if bundle else None

    monkeypatch.setattr(release_gate.loading, "usable", older)
    assert [reason.code for reason in publishing.verdict_of(row).reasons] == ["person_key_unknown"]


def test_the_manifest_says_kinds_and_parameters_and_no_key(pseudonymous, tmp_path):
    row = pseudonymous()
    _let_pseudonyms_leave()
    proposed = publishing.propose(row, actor=ANN)
    published = publishing.approve(proposed, actor=BEN, seen=proposed.digest)

    said, _ = verifying.read(published.manifest)
    assert {each["column"]: each["kind"] for each in said["actions"]} == dict(
        each.split(":")[0].split("=") for each in ACTIONS
    )
    assert "not anonymous" in said["pseudonymous"]
    assert said["actions"][0]["key"] == keys.ring().current.id
    assert keys.ring().current.secret.hex() not in json.dumps(said)


def test_the_same_person_and_value_have_the_same_token_in_every_release(pseudonymous, file):
    table = uploads.take_file(file, actor=ANN)

    first, second = _copy(pseudonymous(table=table)), _copy(pseudonymous(table=table, days=30))

    assert first == second
    assert VaultToken.objects.count() == 60


def test_a_pseudonym_is_opened_by_its_own_right_and_the_person_can_read_it(pseudonymous, capsys):
    first = _copy(pseudonymous())[0]
    with_role("cat", "token-custodian")
    with_role("ada", "privacy-officer")

    with pytest.raises(CommandError):
        call_command("release", "reveal", first["phone"], "--as", "ada", "--reason", "A recall")
    call_command("release", "reveal", first["phone"], first["mail"], "--as", "cat", "--reason", "A recall")
    assert "+34 612 345 000" in (said := capsys.readouterr().out)
    assert "u0@x.org" in said
    with pytest.raises(CommandError, match="Say why"):
        call_command("release", "reveal", first["phone"], "--as", "cat")

    events = list(AuditEvent.objects.filter(action="token.revealed"))
    assert {event.object for event in events} == {str(subject_ref("c0"))}
    assert events[0].details == {"reason": "A recall", "groups": ["role:token-custodian"]}


@pytest.mark.parametrize("text", ["+34 000 000 000", "nothing", f"{'0' * 32}.AAAA"])
def test_what_the_vault_does_not_have_is_not_opened(pseudonymous, text):
    pseudonymous()
    with pytest.raises(NoSuchToken):
        vault.reveal(text, actor=ANN, reason="x", groups=())


def test_without_the_secret_it_was_sealed_under_a_pseudonym_is_not_opened(pseudonymous, settings):
    first = _copy(pseudonymous())[0]
    former, settings.SECRET_KEY = settings.SECRET_KEY, "another secret of more than 32 signs"

    for text in (first["phone"], first["mail"]):
        with pytest.raises(NoSuchToken, match="a former one"):
            vault.reveal(text, actor=ANN, reason="x", groups=())
    settings.SECRET_KEY_FALLBACKS = [former]
    assert vault.reveal(first["mail"], actor=ANN, reason="x", groups=()) == "u0@x.org"


def test_an_erasure_makes_what_was_released_unreadable(pseudonymous, file):
    table = uploads.take_file(file, actor=ANN)
    first, other, *_ = _copy(pseudonymous(table=table))
    assert vault.reveal(first["mail"], actor=ANN, reason="x", groups=()) == "u0@x.org"

    erased(subject_ref("c0"))

    for text in (first["mail"], first["phone"]):
        with pytest.raises(NoSuchToken):
            vault.reveal(text, actor=ANN, reason="x", groups=())
    assert vault.reveal(other["phone"], actor=ANN, reason="x", groups=()) == "+34 612 345 001"
    again = _copy(pseudonymous(table=table))[0]
    assert {again["phone"], again["mail"]} & {first["phone"], first["mail"]} == set()
    assert not VaultToken.objects.filter(subject_ref=subject_ref("c0")).exists()
    assert not PersonKey.objects.filter(subject_ref=subject_ref("c0")).exists()


def test_rows_of_the_vault_end_with_their_time(pseudonymous):
    pseudonymous(days=90)
    now = timezone.now()

    assert vault.forget_old(now + timezone.timedelta(days=454)) == 0
    assert vault.forget_old(now + timezone.timedelta(days=456)) == 120
    assert not VaultToken.objects.exists()


def test_tokens_of_many_people_take_few_statements(django_assert_max_num_queries):
    with django_assert_max_num_queries(10):
        vault.InstallationVault(1).tokens("phone", [(f"c{n}", f"+34 612 {n:06d}") for n in range(500)])
    with django_assert_max_num_queries(10):
        vault.InstallationVault(1).keys([f"c{n}" for n in range(500)])


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"actions": ("shoe=hash",)}, "no column"),
        ({"actions": ("mail=shift",)}, "identifies people"),
        ({"actions": ("age=hash",)}, "generalised"),
        ({"actions": ("mail=melt",)}, "no action"),
        ({"actions": ("mail=token",), "roles": {**ROLES, "customer_id": "direct"}}, "name the column of the person"),
    ],
)
def test_actions_that_make_no_sense_are_refused_before_any_job(made, file, changes, sentence):
    with pytest.raises(AskedWrongly, match=sentence):
        made(**{"roles": ROLES, "k": 10, "l": 1, **changes})


@pytest.mark.parametrize(
    ("name", "role", "sample", "action"),
    [
        ("customer_id", Role.PERSON, ["c1"], "hash"),
        ("email", Role.DIRECT, ["a@b.org"], "token"),
        ("name", Role.DIRECT, ["Ana"], "hash"),
        ("notes", Role.DIRECT, ["The patient came back on Monday and was seen again."], "redact"),
        ("admitted", Role.QUASI, ["2024-01-01", "2024-01-02T10:00"], "shift:days=365"),
        ("income", Role.SENSITIVE, [str(n) for n in range(40)], "bounds:bottom=1%,top=99%"),
        ("sex", Role.QUASI, ["F", "M"], ""),
    ],
)
def test_an_action_is_suggested_and_not_taken(name, role, sample, action):
    assert profiling.suggest_action(name, role, sample) == action


def test_the_page_takes_actions_and_shows_what_they_did(pseudonymous, file):
    browser = signed_in(with_role("ada", "privacy-officer"))
    row = pseudonymous()

    form = browser.get(f"/admin/releases/tables/{row.table_id}/").content.decode()
    assert 'name="action-0"' in form
    assert 'placeholder="hash"' in form
    said = {f"role-{number}": role for number, role in enumerate(ROLES.values())}
    said |= {"k": "10", "l": "1", "days": "9", "purpose": PURPOSE, "receivers": PARTY}
    said |= {"people": "eea", "region": "eu-central"}
    browser.post(f"/admin/releases/tables/{row.table_id}/", {**said, "action-0": " hash ", "action-2": "token"})
    asked = TableRelease.objects.exclude(pk=row.pk).get().asked
    assert asked["actions"] == ["customer_id=hash", "phone=token"]
    page = browser.get(f"/admin/releases/{row.pk}/").content.decode()
    assert "Pseudonymised is not anonymous" in page
    assert "email 60" in page
    assert "Prosecutor risk through pseudonyms" in page
