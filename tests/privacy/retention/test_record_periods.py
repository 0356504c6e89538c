"""Retention periods of Assent's own records: a register, what a change would end, and the jobs that end it."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.utils import timezone

from audit.models import AuditEvent
from consent.models import ConsentImport
from consent.pseudonyms import subject_ref
from governance.evidence import registers as evidence
from governance.models import OfficerSession
from governance.tasks import forget_sessions
from oversight.changes.documents import Proposed
from oversight.problems import ChangeRefused
from policies.decision_log.ageing import dropping, exports
from policies.models import LogCheckpoint
from privacy.models import RecordPeriod
from privacy.retention.own_records import record_periods
from privacy.tasks import forget_import_reports
from tests.helpers.aged_log import line, store
from tests.helpers.registers import in_force, make_officer

pytestmark = pytest.mark.django_db


@pytest.fixture
def officers(register_in_force):
    for slug, days in RecordPeriod.AT_FIRST.items():
        RecordPeriod.objects.get_or_create(slug=slug, defaults={"keep_days": days})
    return make_officer("ann"), make_officer("bea")


def _period(slug, days):
    return Proposed("record_period", slug, {"slug": slug, "keep_days": days})


def test_every_kind_has_a_period():
    assert set(RecordPeriod.AT_FIRST) == set(RecordPeriod.LEAST) == set(RecordPeriod.Kind.values)
    assert set(record_periods.COUNTED_FROM) == set(RecordPeriod.Kind.values)


def test_without_a_row_a_period_is_what_an_installation_begins_with():
    RecordPeriod.objects.all().delete()

    assert record_periods.period("decision_log") == timedelta(days=365)


@pytest.mark.parametrize(("slug", "days"), [*RecordPeriod.LEAST.items()])
def test_a_period_below_the_least_is_refused(slug, days):
    RecordPeriod.objects.all().delete()
    with pytest.raises(IntegrityError), transaction.atomic():
        RecordPeriod.objects.create(slug=slug, keep_days=days - 1)

    RecordPeriod.objects.create(slug=slug, keep_days=days)


def test_a_period_for_ever_is_refused():
    RecordPeriod.objects.all().delete()
    with pytest.raises(IntegrityError), transaction.atomic():
        RecordPeriod.objects.create(slug="decision_log", keep_days=RecordPeriod.MOST + 1)


def test_a_shorter_period_shows_what_goes_and_is_sealed(officers, own_spool):
    now = timezone.now()
    for ago in (300, 200, 0):
        store(own_spool, line(now - timedelta(days=ago), subject_ref("ann")), at=now - timedelta(days=ago))
    before = now - timedelta(minutes=1)

    done = in_force(*officers, _period("decision_log", 90))

    shown = {each["label"]: each["after"] for each in done.preview}
    assert shown["Days of the decision log dropped the next night, for good"] == 2
    assert shown["Decisions in them, about"] == 2
    assert record_periods.period("decision_log") == timedelta(days=90)
    assert record_periods.changed_since("decision_log", before)
    assert not record_periods.changed_since("decision_log", timezone.now() + timedelta(minutes=1))
    assert not record_periods.changed_since("log_exports", before)
    assert len(dropping.run().dropped) == 2
    assert evidence.broken() is None


def test_a_period_changed_by_hand_is_found(officers, as_attacker):
    in_force(*officers, _period("decision_log", 90))
    as_attacker("UPDATE privacy_recordperiod SET keep_days = 60 WHERE slug = 'decision_log'")

    assert "record period" in str(evidence.broken())


def test_a_kind_is_never_removed_nor_its_period_cut_below_the_least(officers):
    with pytest.raises(ChangeRefused, match="From 31 to 36,500 days"):
        in_force(*officers, _period("decision_log", 30))
    with pytest.raises(ChangeRefused, match="can never be deleted"):
        in_force(*officers, Proposed("record_period", "decision_log", None))


def test_reports_of_old_imports_are_deleted(officers, tmp_path):
    ended = {"old": 366, "young": 364, "replaced": 366}
    for name, ago in ended.items():
        (tmp_path / name).write_bytes(b"refused\n" + (b"more" if name == "replaced" else b""))
        ConsentImport.objects.create(
            file_sha256=name, system="crm", actor="operator", report=str(tmp_path / name), report_bytes=8,
            finished_at=timezone.now() - timedelta(days=ago),
        )  # fmt: skip

    forget_import_reports()
    forget_import_reports()

    assert sorted(path.name for path in tmp_path.iterdir()) == ["replaced", "young"]
    assert AuditEvent.objects.filter(action="consent_import.report_deleted").count() == 1
    assert ConsentImport.objects.exclude(report="").get().file_sha256 == "young"


def test_ended_sessions_of_officers_follow_their_period(officers):
    account = User.objects.get(username="ann")
    now = timezone.now()
    for ago in (6, 8):
        ends = now - timedelta(days=ago)
        OfficerSession.objects.create(account=account, began_at=ends, seen_at=ends, expires_at=ends)
    in_force(*officers, _period("officer_sessions", 7))

    forget_sessions()

    assert OfficerSession.objects.count() == 1


def test_exported_files_are_deleted_with_age(officers, own_spool, tmp_path, settings):
    settings.DECISION_LOG_EXPORTS = tmp_path
    now = timezone.now()
    for ago in (400, 0):
        store(own_spool, line(now - timedelta(days=ago), subject_ref("ann")), at=now - timedelta(days=ago))
    dropping.run()
    assert exports.forget_old() == 0

    assert len(exports.due(timedelta(0))) == 1
    in_force(*officers, _period("log_exports", 1))
    assert exports.forget_old(now=now + timedelta(days=2)) == 1
    assert exports.forget_old(now=now + timedelta(days=2)) == 0
    assert list(tmp_path.iterdir()) == []
    assert LogCheckpoint.objects.get().document["export"]["file"].startswith("decisions-")
