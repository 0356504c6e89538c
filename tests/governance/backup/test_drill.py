"""Backup drill: backup, withdraw, delete, restore, replay; what was taken back stays refused and gone."""

import threading
from datetime import timedelta
from io import StringIO

import psycopg
import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from audit import signing, trail
from audit.models import SigningKey
from consent.ledger import ledger as choices
from consent.models import ConsentRecord, DataSubject
from consent.pseudonyms import subject_ref
from governance import starting
from governance.backup import archive, dumping, sealing
from governance.evidence import heads
from governance.monitoring import health
from personalization.models import Event
from policies.decision_log import backup_pause
from privacy import tasks
from privacy.erasures import ledger, noting
from privacy.models import Disposal
from privacy.retention import disposal

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setattr(settings, "ASSENT_HOME", tmp_path)
    monkeypatch.setattr(settings, "SPOOL_DIR", tmp_path / "spool")
    monkeypatch.setattr(settings, "MODEL_DIR", tmp_path / "models")
    monkeypatch.setattr(settings, "ERASURE_LEDGER_COPY", tmp_path / "elsewhere" / "ledger.jsonl")
    monkeypatch.setattr(tasks.run_disposals, "apply_async_on_commit", lambda **message: None)
    (tmp_path / "spool").mkdir()
    (tmp_path / "models").mkdir()
    return tmp_path


def _backup(home):
    file = home / "backup"
    trail.anchor()
    heads.write()
    call_command("backup", file, stdout=StringIO())
    return file


def _state(person, place="recommendations"):
    return DataSubject.objects.get(ref=subject_ref(person)).consents[place]["s"]


def _restored(file):
    out = StringIO()
    call_command("restore", file, stdout=out)
    return out.getvalue()


def _withdrawn_and_deleted(choose, remember):
    """Give two consents with data, take one back, let a schedule delete the other's old data."""
    for number in (1, 2):
        choose(f"customer-{number}", "give")
    remember("customer-1", 3)
    remember("customer-2", 2, days=400)
    remember("customer-2", 1)


def _after_the_backup(choose):
    disposal.queue_for_withdrawals([choose("customer-1", "withdraw")])
    for run in Disposal.objects.all():
        disposal.run(run.pk)
    for run in disposal.queue_for_retention(actor="operator"):
        disposal.run(run.pk)
    trail.anchor()
    noting.note()
    heads.write()


def test_what_was_taken_back_since_the_backup_stays_gone(choose, remember, home):
    _withdrawn_and_deleted(choose, remember)
    file = _backup(home)
    _after_the_backup(choose)
    assert Event.objects.count() == 1

    said = _restored(file)

    assert "1 withdrawals repeated, 0 people erased or redacted again, 5 rows deleted again" in said
    assert _state("customer-1") == "withdrawn"
    assert _state("customer-2") == "given"
    assert list(Event.objects.values_list("subject_ref", flat=True)) == [subject_ref("customer-2")]
    assert ConsentRecord.objects.get(state="withdrawn").source == "replay"
    call_command("verify", quiet=True, full=True, stdout=StringIO())
    assert heads.lost_since_written() is None


def test_a_restored_database_is_not_served_before_the_replay(choose, remember, home):
    _withdrawn_and_deleted(choose, remember)
    file = _backup(home)
    _after_the_backup(choose)

    archive.restore(file)

    assert _state("customer-1") == "given"  # what must not be served
    assert any("replay-erasures" in loss for loss in health._losses())
    with pytest.raises(SystemExit, match="replay-erasures"):
        starting.require_replayed()

    call_command("replay_erasures", stdout=StringIO())
    starting.require_replayed()
    assert health._losses() == []


def test_a_withdrawal_of_a_part_is_repeated(choose, home):
    ref = subject_ref("customer-1")

    def save(choice):
        part = choices.Choice(purpose="newsletter", choice=choice, channel="email")
        choices.save_choices(choices.Request(subject_ref=ref, choices=[part], source="api", actor="service:shop"))

    save("give")
    file = _backup(home)
    save("withdraw")
    trail.anchor()
    noting.note()

    _restored(file)

    assert _state("customer-1", "newsletter?channel=email") == "withdrawn"


def test_a_withdrawal_after_a_restore_is_noted_again(choose, home):
    choose("customer-1", "give")
    choose("customer-2", "give")
    file = _backup(home)
    choose("customer-1", "withdraw")
    trail.anchor()
    noting.note()
    _restored(file)

    choose("customer-2", "withdraw")
    trail.anchor()
    noting.note()
    _restored(file)

    assert [_state("customer-1"), _state("customer-2")] == ["withdrawn", "withdrawn"]


def test_people_who_came_after_the_backup_are_counted(choose, home):
    file = _backup(home)
    choose("customer-9", "give")
    choose("customer-9", "withdraw")
    trail.anchor()
    noting.note()

    assert "1 about people who are not in this database" in _restored(file)


def test_a_restore_without_the_ledger_is_refused(choose, home):
    choose("customer-1", "give")
    file = _backup(home)
    choose("customer-1", "withdraw")
    ledger.path().unlink()
    ledger.copy_path().unlink()

    with pytest.raises(CommandError, match="no erasure ledger"):
        _restored(file)

    assert _state("customer-1") == "withdrawn"


def test_the_second_place_stands_in_for_a_lost_home(choose, home):
    choose("customer-1", "give")
    file = _backup(home)
    choose("customer-1", "withdraw")
    trail.anchor()
    noting.note()
    ledger.path().unlink()

    assert "1 withdrawals repeated" in _restored(file)


def test_an_older_ledger_is_refused(choose, home):
    choose("customer-1", "give")
    choose("customer-1", "withdraw")
    file = _backup(home)
    for place in (ledger.path(), ledger.copy_path()):
        place.write_text(place.read_text().split("\n")[0] + "\n" if "begun" in place.read_text() else "")

    with pytest.raises(CommandError, match="lacks lines"):
        _restored(file)


def test_a_backup_shows_no_secret_and_no_data(choose, home):
    choose("customer-1", "give")
    content = _backup(home).read_bytes()

    for secret in (
        bytes.fromhex((home / "secrets" / "backup_key").read_text()),
        (home / "secrets" / "erasure_key").read_bytes() if (home / "secrets" / "erasure_key").exists() else b"PGDMP",
        str(subject_ref("customer-1")).encode(), b"PGDMP", b"consent_datasubject",
    ):  # fmt: skip
        assert secret not in content


@pytest.mark.parametrize("damage", ["changed", "cut off", "other key", "no backup"])
def test_a_damaged_backup_is_refused_and_changes_nothing(choose, home, damage):
    choose("customer-1", "give")
    file = _backup(home)
    choose("customer-1", "withdraw")
    content = bytearray(file.read_bytes())
    if damage == "changed":
        content[len(content) // 2] ^= 1
    elif damage == "cut off":
        del content[-100:]
    elif damage == "no backup":
        content[:4] = b"none"
    else:
        (home / "secrets" / "backup_key").write_text("00" * 32)
    file.write_bytes(content)

    with pytest.raises(CommandError, match=r"changed or cut off|no backup of Assent"):
        _restored(file)

    assert _state("customer-1") == "withdrawn"
    assert not archive.replay_due().exists()


def test_a_database_in_use_is_not_replaced(choose, home):
    choose("customer-1", "give")
    file = _backup(home)
    other = connection.copy()
    try:
        other.ensure_connection()
        with pytest.raises(dumping.InUse, match="assent down"):
            archive.restore(file)
    finally:
        other.close()
    assert not archive.replay_due().exists()
    assert _state("customer-1") == "given"


def test_a_connection_that_ends_in_a_moment_is_waited_for(home):
    opened = psycopg.connect(**connection.get_connection_params() | {"context": None, "cursor_factory": None})
    ending = threading.Timer(0.3, opened.close)
    ending.start()

    dumping.refuse_in_use()

    assert opened.closed
    ending.join()


def test_drained_spools_stay_while_a_backup_runs(home):
    assert not backup_pause.is_on()
    with backup_pause.paused():
        assert backup_pause.is_on()
    assert not backup_pause.is_on()


def test_spool_and_models_come_back(choose, home):
    (home / "spool" / "1.jsonl").write_text("a line\n")
    (home / "models" / "basket.npz").write_text("weights")
    choose("customer-1", "give")
    file = _backup(home)
    (home / "spool" / "1.jsonl").unlink()
    (home / "models" / "basket.npz").write_text("newer")

    _restored(file)

    assert (home / "spool" / "1.jsonl").read_text() == "a line\n"
    assert (home / "models" / "basket.npz").read_text() == "newer"


def test_a_large_stream_is_sealed_in_pieces(tmp_path):
    content = b"0123456789abcdef" * 200_000  # 3.2 MB
    with (tmp_path / "file").open("wb") as target, sealing.Sealer(target, bytes(32)) as sealed:
        sealed.write(content)
    with (tmp_path / "file").open("rb") as source:
        assert sealing.Opener(source, bytes(32)).readall() == content


def test_a_lost_line_of_the_ledger_is_found(home):
    ledger.append([{"kind": "begun"}, {"kind": "a"}, {"kind": "b"}])
    lines = ledger.path().read_text().split("\n")
    ledger.path().write_text("\n".join([lines[0], *lines[2:]]))

    with pytest.raises(ledger.LedgerBroken, match="Line 2"):
        ledger.read()


def test_an_unfinished_line_is_cut_and_the_copy_is_caught_up(home):
    ledger.append([{"kind": "begun"}])
    with ledger.path().open("a") as file:
        file.write('{"seq": 2, "ki')
    ledger.copy_path().unlink()

    ledger.append([{"kind": "a"}])

    assert [line["kind"] for line in ledger.checked(ledger.path())] == ["begun", "a"]
    assert ledger.copy_path().read_text() == ledger.path().read_text()


def test_nothing_is_noted_twice(choose, home):
    choose("customer-1", "give")
    choose("customer-1", "withdraw")
    trail.anchor()

    assert [noting.note(), noting.note()] == [1, 0]
    [line] = ledger.read()
    assert str(subject_ref("customer-1")) not in str(line)
    assert timezone.now() - timedelta(hours=1) < timezone.datetime.fromisoformat(line["at"])


def _rotated_since(home):
    """Write a backup under one signing key, then a head under the next."""
    signing.current_key()
    file = _backup(home)
    call_command("signing_keys", "rotate", stdout=StringIO())
    assert heads.write()
    return file, signing.current_key().kid


def test_a_signing_key_made_since_the_backup_is_known_again(choose, home):
    choose("customer-1", "give")
    file, kid = _rotated_since(home)
    signed = signing.sign_bytes(b"a receipt")

    assert "1 signing keys restored" in _restored(file)

    assert signing.current_key().kid == kid  # the one before, retired perhaps for cause, does not sign again
    assert SigningKey.objects.exclude(kid=kid).get().retired_at is not None
    assert signing.is_signed(b"a receipt", signed[1], signing.public_keys()[0])
    assert heads.lost_since_written() is None
    assert "0 signing keys restored" in _restored_again()


def _restored_again():
    out = StringIO()
    call_command("replay_erasures", stdout=out)
    return out.getvalue()


def test_a_line_alone_makes_no_key_one_of_ours(choose, home):
    choose("customer-1", "give")
    file = _backup(home)
    line = {"kind": "signing_key", "kid": "x", "salt": "00" * 16, "public_key": "11" * 32}
    ledger.append([{**line, "made_at": timezone.now().isoformat()}])

    call_command("restore", file, stdout=StringIO(), stderr=(err := StringIO()))

    assert "1 signing keys of another SECRET_KEY were not restored" in err.getvalue()
    assert not SigningKey.objects.filter(kid="x").exists()


def test_a_head_under_an_unknown_key_ends_with_the_way_out(choose, home):
    choose("customer-1", "give")
    signing.current_key()
    file = _backup(home)
    signing.rotate(actor="operator")  # the home is lost before the next minute's noting
    trail.anchor()
    heads.write()

    with pytest.raises(CommandError, match=r"no key of this instance signed it.*SECRET_KEY_FALLBACKS"):
        _restored(file)

    assert archive.replay_due().exists()  # not served
    (home / "heads").rename(home / "heads-aside")
    _restored_again()
    assert not archive.replay_due().exists()
