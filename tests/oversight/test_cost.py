"""What bringing a set into force costs, in statements."""

from typing import Any

import pytest
from django.test import Client

from common.actors import Officer
from oversight.changes import approval
from oversight.models import ChangeSet
from tests.helpers.registers import proposed_by, purpose_with

pytestmark = pytest.mark.django_db
_APPLY = 122  # of one change; most are the lint, and the registers that a bundle is built of
_EACH_MORE = 16  # the object with its children, locked, written and read back for the trail


def cost_of(change_set: ChangeSet, ben: Officer, sql: list[str]) -> int:
    sql.clear()
    approval.approve(change_set, actor=ben, seen=change_set.digest)
    return len(sql)


def test_applying_takes_a_fixed_number_of_statements_a_change(anna: Officer, ben: Officer, sql: list[str]) -> None:
    one = proposed_by(anna, purpose_with("recommendations", order=3))
    alone = cost_of(one, ben, sql)
    four = proposed_by(
        anna,
        *(
            purpose_with(slug, order=4)
            for slug in ("newsletter", "personalization", "usage_statistics", "order_fulfilment")
        ),
    )
    together = cost_of(four, ben, sql)

    assert alone <= _APPLY
    assert together - alone <= 3 * _EACH_MORE


def test_the_list_takes_as_many_statements_for_many_sets(anna: Officer, django_user_model: Any, sql: list[str]) -> None:
    client = Client()
    client.force_login(django_user_model.objects.get(pk=anna.account))

    def cost() -> int:
        sql.clear()
        assert client.get("/admin/changes/").status_code == 200
        return len(sql)

    proposed_by(anna, purpose_with("recommendations", order=4))
    few = cost()
    for slug in ("newsletter", "personalization", "usage_statistics"):
        proposed_by(anna, purpose_with(slug, order=4))

    assert cost() == few
