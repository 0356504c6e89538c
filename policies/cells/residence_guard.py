"""Residence check of the ledger, by the rules in force (``consent.residence``)."""

import time

from django.conf import settings

from common.http.problems import Problem
from consent.residence import Guard
from policies.bundles import loading
from policies.cells.subject_placement import place
from policies.cells.table import Table
from policies.cells.unroutable import problem_of
from policies.models import ActiveBundle


def guard() -> Guard:
    """Judge by the bundle in force now; one statement."""
    table: Table | None = settings.CELLS
    bundle = loading.usable(ActiveBundle.objects.values_list("bundle_id", flat=True).first())
    now = time.time()

    def refusal(region: str | None, known: bool) -> Problem | None:
        if table is None:
            return None
        where = place(region, known=known, bundle=bundle, table=table, now=now)
        return None if where == table.own else problem_of(where)

    return refusal
