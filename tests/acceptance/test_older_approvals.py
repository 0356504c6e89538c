"""Approvals, steps and waiting work from before the one core of approvals: carried over, valid and visible."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from common.postgres.databases import further_database
from tests.helpers.paths import CHECKOUT

pytestmark = pytest.mark.acceptance
_BEFORE = (("auth",), ("contenttypes",), ("oversight", "0005"), ("policies", "0024"), ("privacy", "0008"))
# In one process: loading Django takes longer than most of these steps.
_MIGRATE = """
import json, sys
import django
django.setup()
from django.core.management import call_command
for target in json.loads(sys.argv[1]):
    call_command("migrate", *target, verbosity=0)
"""
_SETTINGS = ("SECRET_KEY_FILE", "SUBJECT_KEY_FILE", "PGOPTIONS")
# Account 1 is Anna's, 2 Ben's; account 9 is gone.
_OLD = """
INSERT INTO auth_user (id, username, password, is_superuser, is_staff, is_active, first_name, last_name, email,
  date_joined)
SELECT n, name, '', true, true, true, '', '', '', now() FROM (VALUES (1, 'anna'), (2, 'ben')) AS x (n, name);

INSERT INTO oversight_changeset (id, title, reason, author_id, author_name, kind, state, digest, checked_digest, base,
  findings, preview, expected_revision, bundle_revision, created_at)
VALUES (1, 'Approved', '', 1, 'officer:anna', 'normal', 'in_force', 'd1', '', '', '[]', '[]', '', '', now()),
  (2, 'Alone', '', 1, 'officer:anna', 'emergency', 'in_force', 'd2', '', '', '[]', '[]', '', '', now());
INSERT INTO oversight_approval (set_id, digest, account_id, author_id, is_single, verdict, reason, confirmed,
  provenance, given_at)
VALUES (1, 'd1', 2, 1, false, 'approved', 'right', '{}', '[7]', now());
INSERT INTO oversight_setstep (set_id, kind, actor, at, note)
VALUES (1, 'applied', 'officer:ben', now(), ''), (2, 'applied_in_emergency', 'officer:anna', now(), 'fire');
INSERT INTO oversight_workitem (kind, object, opened_at, due_at, state, outcome)
VALUES ('changes-review', '2', now(), now(), 'open', '');

INSERT INTO policies_bundle (revision, policies, data, reason, actor, created_at)
VALUES ('b', '{}', '{}', '', 'system', now());
INSERT INTO policies_policy (digest, modules, tests, sample, overlay, note, author, author_account, checks, created_at)
VALUES ('shipped', '{}', '{}', '{}', '{}', '', 'system', NULL, '{}', now()),
  ('own', '{}', '{}', '{}', '{}', 'stricter', 'officer:anna', 1, '{}', now()),
  ('urgent', '{}', '{}', '{}', '{}', 'quick', 'officer:anna', 1, '{}', now());
INSERT INTO policies_policyactivation (policy_id, bundle_id, kind, author, author_account, actor, actor_account,
  reason, activated_at)
VALUES ('shipped', 'b', 'release', 'system', NULL, 'system', NULL, 'defaults', now()),
  ('own', 'b', 'approved', 'officer:anna', 1, 'officer:gone', 9, 'good', now()),
  ('urgent', 'b', 'emergency', 'officer:anna', 1, 'officer:ben', 2, 'harm', now());
INSERT INTO policies_rollout (id, policy_id, author, author_account, started_by, approved_by, approved_account, reason,
  in_emergency, share, guards, state, started_at, watched_at, ended_by, why)
VALUES (1, 'own', 'officer:anna', 1, 'officer:anna', 'officer:ben', 2, 'try', false, 500, '{}', 'completed', now(),
    now(), 'officer:ben', ''),
  (2, 'urgent', 'officer:anna', 1, 'officer:anna', '', NULL, 'harm', true, 0, '{}', 'open', now(), now(), '', '');
INSERT INTO policies_rolloutstep (rollout_id, kind, bundle_id, share, actor, why, at)
VALUES (1, 'started', 'b', 0, 'officer:anna', 'try', now()), (1, 'widened', 'b', 500, 'officer:ben', '', now()),
  (1, 'ended', 'b', 500, 'officer:ben', 'good', now()), (2, 'started', 'b', 0, 'officer:anna', 'harm', now());

INSERT INTO privacy_deletionplan (id, purpose_id, schedule, before, document, digest, signature, state, author,
  author_account, approver, approver_account, made_at, decided_at)
SELECT ('00000000-0000-0000-0000-00000000000' || n)::uuid, (SELECT id FROM consent_purpose LIMIT 1), 'old', now(),
  jsonb_build_object('blockers', blockers::jsonb, 'data_sets', '{}'::jsonb), 'p' || n, '', state, 'officer:anna', 1,
  approver, account, now(), decided
FROM (VALUES (1, 'approved', '["share"]', 'officer:ben', 2, now()), (2, 'approved', '[]', 'job:retention', NULL, now()),
  (3, 'refused', '[]', 'officer:ben', 2, now()), (4, 'proposed', '[]', '', NULL, NULL))
  AS x (n, state, blockers, approver, account, decided);
"""


@pytest.fixture(scope="module")
def database() -> Iterator[str]:
    """The URL of an empty database beside that of the tests."""
    with further_database(f"older_approvals_{os.getpid()}") as url:
        yield url


@pytest.fixture(scope="module")
def upgraded(database: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[psycopg.Connection[Any]]:
    environment = {
        **{name: value for name, value in os.environ.items() if name not in _SETTINGS},
        "DJANGO_SETTINGS_MODULE": "governance.settings.local",
        "ASSENT_HOME": str(tmp_path_factory.mktemp("home")),
        "DATABASE_URL": database,
        "BROKER_URL": "memory://",
        "SECRET_KEY": "a" * 50,
        "SUBJECT_KEY": "b" * 64,
    }

    def migrate(*targets: tuple[str, ...]) -> None:
        command = [sys.executable, "-c", _MIGRATE, json.dumps(targets)]
        done = subprocess.run(command, cwd=CHECKOUT, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]

    migrate(*_BEFORE)
    with psycopg.connect(database) as connection:
        connection.execute("SELECT set_config('assent.writer', 'tests', true)")
        _some_purpose(connection)
        connection.execute(_OLD)  # type: ignore[arg-type]
    migrate(())
    with psycopg.connect(database, autocommit=True) as connection:
        yield connection


def _some_purpose(connection: psycopg.Connection[Any]) -> None:
    """Insert a purpose with an empty value of its type in every column that takes none."""
    needed = connection.execute(
        "SELECT quote_ident(column_name), data_type FROM information_schema.columns"
        " WHERE table_name = 'consent_purpose' AND is_nullable = 'NO' AND is_identity = 'NO'"
    ).fetchall()
    empty = {
        "character varying": "''", "text": "''", "boolean": "true", "jsonb": "'[]'", "ARRAY": "'{}'",
        "interval": "'1 day'", "smallint": "1", "integer": "1", "timestamp with time zone": "now()",
    }  # fmt: skip
    names, values = ", ".join(name for name, _ in needed), ", ".join(empty[kind] for _, kind in needed)
    connection.execute(f"INSERT INTO consent_purpose ({names}) VALUES ({values})")  # type: ignore[arg-type]


def _read(connection: psycopg.Connection[Any], sql: str) -> list[Any]:
    return connection.execute(sql).fetchall()  # type: ignore[arg-type]


def test_every_approval_is_kept_with_its_two_persons(upgraded: psycopg.Connection[Any]) -> None:
    found = _read(
        upgraded,
        "SELECT subject, right(object, 6), digest, verdict, author_name, author, actor, account, provenance"
        " FROM oversight_approval ORDER BY id",
    )

    assert sorted(found) == sorted([
        ("changes", "1", "d1", "approved", "officer:anna", 1, "officer:ben", 2, [7]),
        ("policy", "own", "own", "approved", "officer:anna", 1, "officer:gone", 9, []),
        ("rollout", "1", "own", "approved", "officer:anna", 1, "officer:ben", 2, []),
        ("plan", "000001", "p1", "approved", "officer:anna", 1, "officer:ben", 2, []),
        ("plan", "000003", "p3", "refused", "officer:anna", 1, "officer:ben", 2, []),
    ])  # fmt: skip


def test_every_step_is_in_a_timeline(upgraded: psycopg.Connection[Any]) -> None:
    found = _read(upgraded, "SELECT subject, right(object, 6), kind, actor, note, is_alone FROM oversight_step")

    assert sorted(found) == sorted([
        ("changes", "1", "applied", "officer:ben", "", False),
        ("changes", "2", "applied_in_emergency", "officer:anna", "fire", True),
        ("policy", "own", "published", "officer:anna", "stricter", False),
        ("policy", "urgent", "published", "officer:anna", "quick", False),
        ("policy", "hipped", "shipped", "system", "defaults", False),
        ("policy", "own", "activated", "officer:gone", "good", False),
        ("policy", "urgent", "activated_in_emergency", "officer:ben", "harm", True),
        ("rollout", "1", "started", "officer:anna", "try", False),
        ("rollout", "1", "widened", "officer:ben", "5 %", False),
        ("rollout", "1", "completed", "officer:ben", "good", False),
        ("rollout", "2", "started_in_emergency", "officer:anna", "harm", True),
        *(("plan", f"00000{n}", "made", "officer:anna", "", False) for n in (1, 2, 3, 4)),
        ("plan", "000001", "approved", "officer:ben", "", False),
        ("plan", "000002", "approved_by_schedule", "job:retention", "", False),
        ("plan", "000003", "refused", "officer:ben", "", False),
    ])  # fmt: skip


def test_what_waited_waits_in_the_one_queue(upgraded: psycopg.Connection[Any]) -> None:
    found = _read(upgraded, "SELECT kind, right(object, 6) FROM oversight_workitem WHERE state = 'open'")

    assert sorted(found) == [
        ("changes-review", "2"),
        ("plan-approval", "000004"),
        ("policy-review", "urgent"),
        ("rollout-approval", "2"),
        ("rollout-review", "2"),
    ]


def test_rollouts_and_plans_name_their_approvals(upgraded: psycopg.Connection[Any]) -> None:
    rollouts = _read(
        upgraded,
        "SELECT r.id, a.subject FROM policies_rollout r LEFT JOIN oversight_approval a ON a.id = r.approval_id"
        " ORDER BY 1",
    )
    plans = _read(
        upgraded,
        "SELECT p.digest, a.subject FROM privacy_deletionplan p LEFT JOIN oversight_approval a ON a.id = p.decision_id"
        " ORDER BY 1",
    )

    assert rollouts == [(1, "rollout"), (2, None)]
    assert plans == [("p1", "plan"), ("p2", None), ("p3", "plan"), ("p4", None)]


@pytest.mark.parametrize("table", ["oversight_approval", "oversight_step", "policies_rolloutstep"])
def test_what_was_carried_over_is_append_only(upgraded: psycopg.Connection[Any], table: str) -> None:
    with pytest.raises(psycopg.errors.RestrictViolation, match="append-only"):
        upgraded.execute(f"DELETE FROM {table}")  # type: ignore[arg-type]
