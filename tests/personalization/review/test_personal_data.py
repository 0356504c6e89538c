"""Outputs under review are personal data: sealed, in an answer to access, gone with the person or the purpose."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from audit.models import AuditEvent
from consent.models import ConsentRecord
from consent.pseudonyms import subject_ref
from model_registry.reviews.models import Output, Review, Verdict, VerdictText
from oversight.models import WorkItem
from privacy import tasks as privacy_tasks
from privacy.models import Disposal
from privacy.retention import disposal, schedules
from privacy.retention.data_sets.extents import Extent
from privacy.rights.answers import packages
from privacy.rights.clocks.laws import Right
from privacy.rights.stores import seam
from tests.personalization.review.conftest import PERSON, first_half, judge
from tests.privacy.rights.erasure.conftest import asked, erased, home  # noqa: F401 (fixtures)

pytestmark = pytest.mark.django_db
REF = subject_ref(PERSON)
STORE = "outputs_under_review"


def bytes_of(table: str) -> str:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT string_agg(t::text, ' ') FROM {table} t")
        return str(cursor.fetchone()[0])


@pytest.mark.usefixtures("marked")
def test_nothing_of_an_output_is_readable_in_the_tables(waiting: Any, anna: Any, shop: Any) -> None:
    judge(waiting(), "change", anna, edit=first_half, reason="A private matter.")

    tables = ("reviews_review", "reviews_output", "reviews_verdict", "reviews_verdicttext", "oversight_workitem")
    said = " ".join(map(bytes_of, tables)) + str(list(AuditEvent.objects.values_list("details", "object")))
    assert not any(item.id in said or item.title in said for item in shop.items)
    assert "private matter" not in said
    # The person is named where the output is, and nowhere else.
    assert str(REF) in bytes_of("reviews_output")
    for table in (
        "reviews_review",
        "reviews_verdict",
        "reviews_verdicttext",
        "oversight_workitem",
        "oversight_workstep",
    ):
        assert str(REF) not in bytes_of(table)


@pytest.mark.usefixtures("marked", "home")
def test_an_erasure_ends_the_review_and_takes_the_output(waiting: Any, anna: Any) -> None:
    review = waiting()

    request = erased(REF)

    assert request.state == "done"
    assert request.erasure_steps.get(store=STORE).rows == 1
    review.refresh_from_db()
    assert (review.state, review.why_void, Output.objects.count()) == ("void", "erased", 0)
    assert WorkItem.objects.get(kind="output-review").state == "void"


@pytest.mark.usefixtures("marked", "home")
def test_an_erasure_takes_what_was_approved_and_what_reviewers_wrote(waiting: Any, anna: Any) -> None:
    judge(waiting(), "change", anna, edit=first_half)

    erased(REF)

    assert (Output.objects.count(), VerdictText.objects.count()) == (0, 0)
    assert (Verdict.objects.count(), Review.objects.get().state) == (1, "void")


@pytest.mark.usefixtures("marked", "home")
def test_an_answer_to_access_has_it(waiting: Any) -> None:
    waiting()

    [row] = seam.find(STORE).export(REF)

    assert (row["state"], row["kind"], len(row["content"]["items"])) == ("waiting", "recommendations", 10)
    made = packages.make(asked(Right.ACCESS, REF), now=timezone.now())
    assert made.counts[STORE] == 1
    assert seam.find(STORE).count(subject_ref("customer-2")) == 0


@pytest.mark.usefixtures("marked")
def test_retention_deletes_old_outputs_with_what_reviewers_wrote(waiting: Any, anna: Any) -> None:
    judge(waiting(), "change", anna, edit=first_half)
    found = schedules.find("outputs under review")
    assert found is not None
    after = timezone.now() + timedelta(seconds=1)

    with connection.cursor() as cursor:
        assert found.table.count(Extent(purpose="recommendations", before=after)) == 1
        cursor.execute("DELETE FROM reviews_output")

    assert VerdictText.objects.count() == 0
    assert found.table in schedules.stores()


@pytest.mark.usefixtures("marked")
def test_a_withdrawal_deletes_what_waits_or_was_approved(waiting: Any, anna: Any, api: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr(privacy_tasks.run_disposals, "apply_async_on_commit", lambda **_message: None)
    judge(waiting(), "change", anna, edit=first_half)
    api.save(PERSON, "withdraw")
    record = ConsentRecord.objects.get(subject_id=REF, state="withdrawn")

    disposal.queue_for_withdrawals([record.pk])
    disposal.run(Disposal.objects.get(record_id=record.pk).pk)

    assert (Output.objects.count(), VerdictText.objects.count()) == (0, 0)
    assert Verdict.objects.count() == 1
