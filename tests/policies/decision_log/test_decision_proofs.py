"""Files of the decision log for officers: CSV, JSON lines with proof, who may have them, and their memory."""

import csv
import gzip
import hashlib
import json
import tracemalloc
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from audit import signing
from audit.exports.writing import Written
from audit.jws import NotGenuine
from audit.models import AuditEvent
from policies.decision_log import drainer
from policies.decision_log.search import export
from policies.decision_log.search.filters import Filter
from policies.decision_log.search.verifying import verify_decisions
from policies.models import Decision
from tests.helpers import volume
from tests.helpers.officers import signed_in, with_role
from tests.helpers.scale import scale
from tests.helpers.wsgi_calls import call, question

pytestmark = pytest.mark.django_db
LIST = "/admin/policies/decision/"


@pytest.fixture
def log(shop_token: str, own_spool: Any) -> list[Decision]:
    """Two batches: five decisions and three."""
    for count in (5, 3):
        for number in range(count):
            call(question(f"stranger-{number}" if number % 2 else "customer-1"), shop_token)
        drainer.drain(own_spool)
    return list(Decision.objects.order_by("pk"))


def download(officer: Client, form: str, **chosen: str) -> bytes:
    response = officer.get(f"{LIST}export.{form}", chosen)
    assert response.status_code == 200
    assert f'filename="decision-log.{form}"' in response["Content-Disposition"]
    return b"".join(response.streaming_content)


def test_an_export_with_proof_is_genuine(officer: Client, log: list[Decision], tmp_path: Path) -> None:
    data = download(officer, "jsonl", outcome="permit")

    found = verify_decisions(data)

    assert (found.decisions, found.is_complete, found.filters) == (5, True, {"outcome": "permit"})
    entries = [json.loads(line)["entry"] for line in data.splitlines()[1:-1]]
    assert entries == [each.entry for each in log if each.outcome == "permit"]
    file, keys, out = tmp_path / "log.jsonl", tmp_path / "keys.json", StringIO()
    file.write_bytes(data)
    keys.write_text(json.dumps(signing.published_keys()))
    call_command("verify_receipt", str(file), "--keys", str(keys), stdout=out)
    assert "5 decisions, each as it was written and sealed in its batch" in out.getvalue()
    assert "newest batch then: 2 " in out.getvalue()
    assert "Signed by the trusted key" in out.getvalue()


SPOILT: dict[str, Callable[[bytes], bytes]] = {
    "another answer": lambda data: data.replace(b"permit", b"deny!!", 1),
    "a line less": lambda data: b"".join([*data.splitlines(keepends=True)[:2], *data.splitlines(keepends=True)[3:]]),
    "no signature": lambda data: b"".join(data.splitlines(keepends=True)[:-1]),
    "cut": lambda data: data[:60],
}


@pytest.mark.parametrize("spoil", SPOILT.values(), ids=SPOILT)
def test_an_export_that_was_changed_is_not_genuine(
    officer: Client, log: list[Decision], tmp_path: Path, spoil: Callable[[bytes], bytes]
) -> None:
    data = spoil(download(officer, "jsonl"))

    with pytest.raises(NotGenuine):
        verify_decisions(data)

    file = tmp_path / "log.jsonl"
    file.write_bytes(data)
    with pytest.raises(CommandError, match="NOT GENUINE"):
        call_command("verify_receipt", str(file))


def test_a_decision_changed_in_the_database_does_not_lead_to_its_batch(
    officer: Client, log: list[Decision], as_attacker: Any
) -> None:
    as_attacker(f"UPDATE policies_decision SET entry = replace(entry, 'permit', 'deny') WHERE id = '{log[0].pk}'")

    with pytest.raises(NotGenuine, match="does not lead to its batch"):
        verify_decisions(download(officer, "jsonl"))


def test_a_decision_of_no_batch_is_not_genuine(officer: Client, log: list[Decision]) -> None:
    volume.add_decisions(1, days=1)

    with pytest.raises(NotGenuine, match="belongs to no batch"):
        verify_decisions(download(officer, "jsonl"))


def test_a_csv_holds_no_formula_and_is_two_events(officer: Client, log: list[Decision], as_attacker: Any) -> None:
    as_attacker(f"UPDATE policies_decision SET caller = '=cmd|calc', purpose = '@x' WHERE id = '{log[0].pk}'")

    data = download(officer, "csv")

    rows = list(csv.DictReader(StringIO(data.decode())))
    assert [row["id"] for row in rows] == [str(each.pk) for each in log]
    assert (rows[0]["caller"], rows[0]["purpose"]) == ("'=cmd|calc", "'@x")
    assert rows[1]["reasons"].split() == log[1].reasons
    begun, ended = AuditEvent.objects.filter(action__startswith="decision_log.export").order_by("position")
    assert (begun.action, begun.actor, begun.details["format"]) == ("decision_log.exported", "officer:anna", "csv")
    assert (ended.details["decisions"], ended.details["sha256"]) == (8, hashlib.sha256(data).hexdigest())


def test_a_file_beyond_its_limit_says_so_and_goes_on(
    officer: Client, log: list[Decision], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Written, "has_room", property(lambda self: self.lines < 5))
    last = str(log[4].pk)

    assert (
        f"NOT ALL: 5 lines are here. The next file is at the same address with &after={last}"
        in download(officer, "csv").decode()
    )
    first, rest = verify_decisions(download(officer, "jsonl")), download(officer, "jsonl", after=last)
    found, file, out = verify_decisions(rest), tmp_path / "rest.jsonl", StringIO()
    file.write_bytes(rest)
    call_command("verify_receipt", str(file), stdout=out)

    assert (first.begins_after, first.is_complete, first.goes_on_after) == ("", False, last)
    assert (found.begins_after, found.is_complete, found.decisions) == (last, True, 3)
    assert f"NOT ALL: it begins after {last}" in out.getvalue()
    assert officer.get(f"{LIST}export.csv", {"after": "x"}).status_code == 400


# Who may


def test_an_auditor_has_list_page_and_files(log: list[Decision]) -> None:
    browser = signed_in(with_role("vera", "auditor"))

    assert browser.get(LIST).status_code == 200
    assert browser.get(f"{LIST}{log[0].pk}/change/").status_code == 200
    assert len(download(browser, "csv").splitlines()) == 9
    assert verify_decisions(download(browser, "jsonl")).decisions == 8


@pytest.mark.parametrize("path", ["", "export.csv", "export.jsonl", "{pk}/change/"])
def test_marketing_has_none_of_it(log: list[Decision], path: str) -> None:
    browser = signed_in(with_role("mark", "marketing"))

    refused = browser.get(LIST + path.format(pk=log[0].pk))

    assert refused.status_code == 403
    assert not AuditEvent.objects.filter(action__startswith="decision_log.export").exists()


def test_nobody_signed_in_has_none_of_it(log: list[Decision]) -> None:
    for path in ("", "export.csv", f"{log[0].pk}/change/"):
        assert Client().get(LIST + path).status_code == 302


def test_another_kind_of_file_is_not_found(officer: Client) -> None:
    assert officer.get(f"{LIST}export.exe").status_code == 404


# By command, and what it costs


def test_a_command_writes_all_of_a_log(log: list[Decision], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("audit.exports.writing.MAX_BYTES", 10)
    out = StringIO()

    for name, filters in (("log.jsonl.gz", ["outcome=permit"]), ("log.csv", [])):
        arguments = [part for each in filters for part in ("--filter", each)]
        call_command("export_log", "decisions", "-o", str(tmp_path / name), *arguments, stdout=out)
    call_command("export_log", "audit", "-o", str(tmp_path / "audit.jsonl"), stdout=out)

    assert verify_decisions(gzip.decompress((tmp_path / "log.jsonl.gz").read_bytes())).decisions == 5
    assert len((tmp_path / "log.csv").read_text().splitlines()) == 9
    written = hashlib.sha256((tmp_path / "log.csv").read_bytes()).hexdigest()
    assert f"8 lines written to {tmp_path / 'log.csv'}, SHA-256 {written}." in out.getvalue()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["decisions", "-o", "log.xlsx"], "end the name in .jsonl or .csv"),
        (["decisions", "-o", "log.csv", "--filter", "shape=round"], "There is no filter “shape”"),
        (["audit", "-o", "log.csv", "--filter", "q"], "“q” is no filter: write NAME=VALUE"),
        (["audit", "-o", "nowhere/log.csv"], "No such file"),
    ],
)
def test_a_command_refuses_in_a_sentence(
    log: list[Decision], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(CommandError, match=message.split("“")[0] or message[:6]) as refused:
        call_command("export_log", *arguments)
    assert message in str(refused.value)
    assert refused.value.returncode == 2


def test_a_batch_is_read_once_for_all_its_decisions(officer: Client, log: list[Decision], sql: list[str]) -> None:
    sql.clear()

    download(officer, "jsonl")

    assert len([text for text in sql if "sha256(convert_to(entry" in text]) == 2
    assert not [text for text in sql if "OFFSET" in text]


@scale("decisions", small=4_500, long=300_000)
def test_the_memory_of_a_file_is_flat(register_in_force: None, decisions: int) -> None:
    """A file many times as long takes no more memory: the peak is that of pages, not of the file."""
    volume.add_decisions(decisions, days=3)

    def peak(after: str) -> tuple[int, int]:
        written = Written(max_bytes=None)
        tracemalloc.start()
        size = sum(map(len, export.write("jsonl", Filter(), actor="operator", after=after, written=written)))
        top = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return size, top

    last_third = str(Decision.objects.order_by("pk")[decisions * 2 // 3].pk)
    peak(last_third)
    small, of_third = peak(last_third)
    large, of_all = peak("")

    assert large > 2 * small > 0
    assert of_all < 1.5 * of_third
