"""Daily counts: added up by day, kept out of the caller's transaction, never a reason for a page to fail."""

import pytest
from django.db import connection, transaction

from consent import counts, links
from consent.counts import What
from consent.models import DailyCount
from consent.pseudonyms import subject_ref


def _counted():
    return {(row.what, row.region): row.count for row in DailyCount.objects.all()}


@pytest.mark.django_db(transaction=True)
def test_the_same_thing_on_a_day_is_one_row_that_grows():
    for region in ("DE", "DE", "FR"):
        counts.count(What.RECEIPT_DOWNLOADED, region=region)

    assert _counted() == {("receipt_downloaded", "DE"): 2, ("receipt_downloaded", "FR"): 1}


@pytest.mark.django_db(transaction=True)
def test_what_is_rolled_back_is_not_counted():
    with transaction.atomic():
        counts.count(What.LINK_ISSUED)
        transaction.set_rollback(True)

    assert _counted() == {}


@pytest.mark.django_db(transaction=True)
def test_a_failing_count_is_logged_and_the_callers_work_stays(caplog, monkeypatch):
    monkeypatch.setattr(counts, "_UPSERT", "INSERT INTO nowhere VALUES (%s, %s, %s, %s, %s)")

    links.issue_link(subject_ref=subject_ref("customer-1"), issued_by="service:shop")

    assert _counted() == {}
    assert "on_commit" in caplog.text
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM consent_subjectlink")
        assert cursor.fetchone() == (1,)


@pytest.mark.django_db(transaction=True)
def test_a_count_is_one_statement(sql):
    counts.count(What.DASHBOARD_OPENED)

    assert len(sql) == 1


def test_an_issued_link_and_an_opened_dashboard_are_counted_and_a_used_link_is_not(
    client, db, django_capture_on_commit_callbacks
):
    with django_capture_on_commit_callbacks(execute=True):
        token, _link = links.issue_link(subject_ref=subject_ref("customer-1"), issued_by="service:shop")
        answers = [client.post("/privacy/open", {"token": token}).status_code for _ in range(2)]

    assert answers == [302, 410]
    assert _counted() == {("link_issued", ""): 1, ("dashboard_opened", ""): 1}
