"""Acts about one table at the same moment: each is decided by what the other has made of it."""

from datetime import timedelta

import pytest
from django.utils import timezone

from privacy.models import PrivacyBudget, TableRelease
from privacy.releases import asking, publishing, uploads
from tests.helpers.at_once import before_it_is_committed
from tests.privacy.releases.conftest import ANN, BEN
from tests.privacy.releases.test_noisy_tables import asked as noisy

pytestmark = pytest.mark.django_db(transaction=True)


def _proposed(row: TableRelease) -> TableRelease:
    return publishing.propose(row, actor=ANN, reason="For the partner's report.")


def _approved(row: TableRelease) -> TableRelease:
    return publishing.approve(row, actor=BEN, seen=row.digest)


def test_of_two_releases_that_were_not_compared_one_is_published(made, file):
    first = _proposed(made(k=10))
    second = _proposed(made(uploads.take_file(file, actor=ANN), k=20))

    assert before_it_is_committed(lambda: _approved(first), lambda: _approved(second)) == "release_refused"

    assert [each.stage for each in TableRelease.objects.order_by("requested_at")] == ["published", "proposed"]


def test_a_table_is_paid_by_one_budget_whoever_asks_first(officers, file):
    for name in ("tables-a", "tables-b"):
        PrivacyBudget.objects.create(data_set=name, epsilon_total="4", delta="0.000001")
    table = uploads.take_file(file, actor=ANN)

    def ask(budget):
        return lambda: asking.ask(table, noisy(data_set=budget), actor=ANN, state=TableRelease.State.RUNNING)

    assert before_it_is_committed(ask("tables-a"), ask("tables-b")) == "release_invalid"


def test_a_copy_that_is_published_outlives_its_table(made):
    row = _proposed(made())

    before_it_is_committed(
        lambda: _approved(row), lambda: uploads.forget_old(timezone.now() + timedelta(days=uploads.KEPT_DAYS + 1))
    )

    publishing.hand_out(TableRelease.objects.get(), actor="service:carrier", party="carrier").close()


def test_what_is_made_of_a_table_that_is_gone_is_not_published(made):
    row = _proposed(made())
    row.table.removed_at = timezone.now()
    row.table.save(update_fields=["removed_at"])

    with pytest.raises(publishing.ReleaseRefused, match="is gone"):
        _approved(row)
