"""Storage limitation: every column of every table is sorted, and personal data ends by a job or stays for a reason."""

import tomllib
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from celery import current_app
from django.apps import apps
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.utils import timezone

from governance import tasks
from governance.models import OfficerSession

TABLES: dict[str, dict[str, Any]] = tomllib.loads(
    (Path(__file__).parents[2] / "governance" / "stored_data.toml").read_text(encoding="utf-8")
)
REASONS = {"proof", "register", "officer"}


def _columns(table: str) -> list[str]:
    return [*TABLES[table].get("personal", "").split(), *TABLES[table]["other"].split()]


def test_every_column_of_every_table_is_sorted():
    stored = {
        model._meta.db_table: sorted(field.column for field in model._meta.concrete_fields)
        for model in apps.get_models(include_auto_created=True)
    }

    assert {table: sorted(_columns(table)) for table in TABLES} == stored, "sort it in governance/stored_data.toml"


@pytest.mark.parametrize("table", [table for table in TABLES if "personal" in TABLES[table]])
def test_personal_data_ends_by_a_job_or_stays_for_a_reason(table):
    scheduled = {f"task:{entry['task']}" for entry in current_app.conf.beat_schedule.values()}

    assert TABLES[table]["ends"] in scheduled | REASONS
    assert TABLES[table]["why"]


@pytest.mark.parametrize("word", ["ref", "subject_ref", "people", "actor", "account", "author", "email", "browser"])
def test_a_column_that_names_a_person_is_sorted_as_personal(word):
    missed = [table for table in TABLES if {word, f"{word}_id"} & set(TABLES[table]["other"].split())]

    # Counts of people.
    counts = {"personalization_alsobought", "personalization_eventcount", "personalization_popularitem"}
    assert set(missed) <= (counts if word == "people" else set())


@pytest.mark.django_db
def test_ended_sessions_are_deleted_and_others_stay(register_in_force):
    now = timezone.now()
    for name, days in (("ended", -1), ("open", 1)):
        Session.objects.create(session_key=name, session_data="", expire_date=now + timedelta(days=days))
    account = User.objects.create_user("anna")
    for days in (-31, -29, 1):
        ends = now + timedelta(days=days)
        OfficerSession.objects.create(account=account, began_at=now, seen_at=now, expires_at=ends)

    tasks.forget_sessions()

    assert list(Session.objects.values_list("session_key", flat=True)) == ["open"]
    assert OfficerSession.objects.count() == 2
