"""Database of an older release, restored and brought up to this one in a process of its own.

Run as ``python -m tests.helpers.upgraded_release FOLDER NAME``; writes what was found to ``found.json``. It runs in the
settings of an instance: those of tests let every session write registers, which no installation does.
"""

import json
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import StringIO
from pathlib import Path
from typing import Any
from uuid import UUID

import django
from django.core.management import call_command
from django.db import connection

# What Django and Celery keep of their own, made anew by each release.
_OWN = ("django_content_type", "django_migrations", "auth_permission", "auth_group_permissions")
_TABLES = """
SELECT c.relname FROM pg_class c
WHERE c.relkind IN ('r', 'p') AND c.relnamespace = 'public'::regnamespace AND NOT c.relispartition ORDER BY 1
"""
_RIGHTS = """
SELECT u.username, t.app_label || '.' || p.codename FROM auth_user u
JOIN (
  SELECT user_id, permission_id FROM auth_user_user_permissions
  UNION SELECT g.user_id, r.permission_id FROM auth_user_groups g JOIN auth_group_permissions r USING (group_id)
) AS held ON held.user_id = u.id
JOIN auth_permission p ON p.id = held.permission_id JOIN django_content_type t ON t.id = p.content_type_id ORDER BY 1, 2
"""
_DRAFTS = """
SELECT u.username, jsonb_object_keys(d.files) FROM policies_policydraft d JOIN auth_user u ON u.id = d.account
"""
_HOLDS = """
SELECT CASE WHEN hold_id IS NULL THEN 'restriction' ELSE 'hold' END, ref::text FROM privacy_holdmember ORDER BY 1
"""
_STATISTICS = """
SELECT s.slug, s.kind, s.epsilon::text, s.every, b.data_set, b."window",
  privacy_budget_used(b.id, '-infinity', 'infinity', 0) = (SELECT sum(epsilon) FROM privacy_budgetspend)
FROM privacy_statistic s JOIN privacy_privacybudget b USING (data_set)
"""
Rows = list[dict[str, Any]]


def main(folder: Path, name: str) -> None:
    django.setup()
    from governance.backup import dumping

    recorded = json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))
    # Restored from a copy: what is restored is listed in a file beside the dump.
    dumping.restore(Path(shutil.copy(folder / f"{name}.dump", Path.cwd())))
    before, rights = _rows(), _query(_RIGHTS)
    printed = {command[0]: _run(*command) for command in (("migrate", "--verbosity=1"), ("prepare",))}
    found = {
        "printed": printed,
        "pending": _run("migrate", "--check", "--verbosity=0"),
        "prepared_again": _run("prepare"),
        "verified": _run("verify", "--full"),
        "lost": _lost(before, _rows()),
        "events": len(before["personalization_event"]),
        "ratings": _query("SELECT value, weight FROM personalization_event WHERE kind = 'rating' ORDER BY value"),
        "models": _models(),
        "drafts": _query(_DRAFTS),
        "rights": [rights, _query(_RIGHTS)],
        "holds": _query(_HOLDS),
        "statistics": _query(_STATISTICS),
        "answers": _answers(recorded),
        "withdrawn": _withdrawn(recorded),
        "receipts": [_receipt(file) for file in recorded["receipts"]],
        "pages": _pages(),
        "change_set": _change_set(),
        "verified_at_last": _run("verify", "--full"),
    }
    Path("found.json").write_text(json.dumps(found), encoding="utf-8")


def _query(sql: str) -> list[list[Any]]:
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return [list(row) for row in cursor.fetchall()]


def _rows() -> dict[str, Rows]:
    tables = [table for (table,) in _query(_TABLES) if table not in _OWN]
    return {table: [json.loads(row) for (row,) in _query(f"SELECT to_jsonb(t)::text FROM {table} t")]
            for table in tables}  # fmt: skip


def _lost(before: dict[str, Rows], after: dict[str, Rows]) -> dict[str, Rows]:
    """Return the rows of each table that are no more, by the columns that are still there."""
    lost = {}
    for table, rows in before.items():
        kept = after.get(table, [])
        columns = [column for column in (rows[0] if rows else ()) if not kept or column in kept[0]]
        texts = {_text(row, columns) for row in kept}
        lost[table] = [row for row in rows if _text(row, columns) not in texts]
    return {table: rows for table, rows in lost.items() if rows}


def _text(row: dict[str, Any], columns: list[str]) -> str:
    return json.dumps([row[column] for column in columns])


def _run(*command: str) -> str:
    from django.core.management.base import CommandError

    said = StringIO()
    try:
        call_command(*command, stdout=said)
    except (CommandError, SystemExit) as refused:
        said.write(f"REFUSED: {refused}")
    return said.getvalue()


def _models() -> list[list[Any]]:
    """Return each version in use: its state, and whether its grace is on the audit trail."""
    from audit.models import AuditEvent
    from model_registry.models import ModelVersion

    graced = set(AuditEvent.objects.filter(action="model.gates_grace").values_list("object", flat=True))
    versions = ModelVersion.objects.filter(status__in=ModelVersion.IN_USE).select_related("model")
    return [[version.status, str(version) in graced] for version in versions]


def _answers(recorded: dict[str, Any]) -> dict[str, list[Any]]:
    """Ask again what the older release was asked."""
    with _asking(recorded) as ask:
        return {person: [ask(question, person) for question in recorded["questions"]] for person in recorded["answers"]}


def _withdrawn(recorded: dict[str, Any]) -> list[Any]:
    """Ask about a person who agreed under the older release and withdraws now; say what was deleted."""
    from consent.ledger import ledger
    from consent.pseudonyms import subject_ref
    from privacy.models import Disposal
    from privacy.retention import disposal

    choice = ledger.Choice(purpose="recommendations", choice="withdraw")
    request = ledger.Request(subject_ref=subject_ref("anna"), choices=[choice], source="api", actor="service:shop")
    [record] = ledger.save_choices(request).records
    disposal.queue_for_withdrawals([UUID(record["id"])])  # here too: the process does so in the background
    queued = Disposal.objects.get(record_id=record["id"])
    removed = disposal.run(queued.pk).removed
    [question] = [
        each for each in recorded["questions"]
        if each["action"]["name"] == "personalize" and each["action"]["properties"]["purpose"] == "recommendations"
    ]  # fmt: skip
    with _asking(recorded) as ask:
        answer, _obligations = ask(question, "anna")
    return [answer, removed]


@contextmanager
def _asking(recorded: dict[str, Any]) -> Iterator[Callable[[dict[str, Any], str], tuple[list[Any], list[Any]]]]:
    """Have a function that asks, at the moment the older release was asked."""
    from policies.endpoints import credentials

    token, _credential = credentials.create_credential(name="upgraded", scopes=["decisions"], actor="test")
    clock, time.time = time.time, lambda: float(recorded["answered_at"])
    try:
        yield lambda question, person: _answer(question, person, token)
    finally:
        time.time = clock


def _answer(question: dict[str, Any], person: str, token: str) -> tuple[list[Any], list[Any]]:
    from tests.helpers.wsgi_calls import call

    answer = call({"subject": {"type": "data_subject", "id": person}, **question}, token)
    document = answer.json()
    context = document.get("context", {})
    codes = sorted(reason["code"] for reason in context.get("reasons", []))
    return [document["decision"], context.get("level"), *codes], context.get("obligations", [])


def _receipt(file: dict[str, Any]) -> list[bool]:
    """Say whether a receipt is genuine, and one issued now for the same choice."""
    from audit import signing
    from consent.receipts import issuing
    from consent.receipts.verifying import verify_file

    record = file["receipt"]["consent_record"]
    again = issuing.issue(UUID(record["pii_principal_id"]), record["subject_revision"])
    keys = signing.published_keys()
    return [verify_file(json.dumps(each).encode(), keys=keys).key_is_trusted for each in (file, again)]


def _pages() -> dict[str, list[int]]:
    """Status of pages by the accounts of the older release."""
    from django.contrib.auth.models import User
    from django.test import Client

    paths = ("/admin/", "/admin/consent/purpose/", "/admin/consent/party/", "/admin/audit/auditevent/")
    found = {}
    for name in ("olga", "piet", "uma", "vera"):
        browser = Client(SERVER_NAME="localhost")
        browser.force_login(User.objects.get(username=name))
        found[name] = [browser.get(path).status_code for path in paths]
    return found


def _change_set() -> dict[str, Any]:
    """Let two accounts of the older release change a purpose: as they are, then once the operator has vouched."""
    from django.contrib.auth.models import User

    from common.actors import Officer
    from consent.models import NoticeTerms, Purpose
    from oversight.changes import approval
    from oversight.problems import SecondOfficerNeeded
    from tests.helpers.registers import proposed_by, purpose_with

    olga, otto = (Officer.of(name, User.objects.get(username=name).pk) for name in ("olga", "otto"))
    change_set = proposed_by(olga, purpose_with("newsletter", benefit="News about what you like, and nothing else."))
    claims = {"seen": change_set.digest, "confirmed": "I compared the texts."}
    refused = ""
    try:
        approved = approval.approve(change_set, actor=otto, **claims)
    except SecondOfficerNeeded as exc:
        refused = str(exc)
        for name in ("olga", "otto"):
            _run("officers", "vouch", name)
        approved = approval.approve(change_set, actor=otto, **claims)
    return {
        "refused": refused,
        "state": approved.state,
        "benefit": Purpose.objects.get(slug="newsletter").benefit,
        "terms": sorted(NoticeTerms.objects.values_list("purpose", "version")),
    }


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
