"""The job of noisy tables: asks the policy, pays, counts, draws noise, writes; in this order.

The charge is committed before anything is counted and is never given back: what the policy refuses costs nothing, and
a job that is killed makes the tables anew under the same charge. What is kept of a release says nothing about the data
but the noisy counts, not even how many rows there are.
"""

from typing import TYPE_CHECKING, Any

from common.http.problems import Problem
from common.suppression import smallest_group
from privacy.anonymisation.errors import AnonymisationError
from privacy.anonymisation.files.inspection import sha256_of
from privacy.anonymisation.files.replacing import replacing
from privacy.budgets import ledger
from privacy.models import TableRelease
from privacy.releases import gate, uploads
from privacy.releases.noisy.asking import NoisyAsked, Plan

if TYPE_CHECKING:
    from privacy.anonymisation.tables import Table

STEPS = ("Asking the policy, and paying", "Counting", "Drawing noise", "Writing")


def pay(row: TableRelease) -> Plan:
    """Charge the budget for a release that the policy permits. Raises AnonymisationError with the reason if not."""
    asked = NoisyAsked.of(row)
    row.move(STEPS[0], 0)
    verdict = gate.ask(asked.facts())
    if not verdict.is_permitted:
        raise AnonymisationError(" ".join(reason.sentence for reason in verdict.reasons))
    try:
        plan = Plan.of(asked, f"release:{row.pk}")
        ledger.reserve(plan.charge, actor=row.author)
    except Problem as refused:
        raise AnonymisationError(refused.detail) from None
    return plan


def make(row: TableRelease, source: "Table", plan: Plan) -> tuple[dict[str, Any], dict[str, Any]]:
    """Write the copy of a release that is paid for; return its report and figures."""
    from privacy.releases.noisy import counting  # array libraries, only in a job

    asked, target = NoisyAsked.of(row), uploads.copy_of(row)
    noise = asked.noise
    fewest = smallest_group()
    row.move(STEPS[1], 1)
    counted = counting.count(source, asked.domains, noise.tables, person=noise.person, rows_each=noise.rows_each)
    row.move(STEPS[2], 2)
    drawn = [
        (each, plan.part.draw(each.cells.tolist(), noise.rows_each), margin)
        for each, (_, _, margin) in zip(counted, plan.tables, strict=True)
    ]
    row.move(STEPS[3], 3)
    with replacing(target) as held:
        counting.write(held, target, drawn, fewest)
    target.chmod(0o600)
    tables = [{"columns": name, "cells": cells, "margin": margin} for name, cells, margin in plan.tables]
    report = {
        "target_sha256": sha256_of(target),
        "result": {"rows": sum(cells for _, cells, _ in plan.tables)},
        "tables": tables,
        "withheld_below": fewest,
        "charge": {"epsilon": str(plan.charge.epsilon), "delta": f"{plan.charge.delta:f}"},
    }
    return report, {"overlaps": [], "bytes": target.stat().st_size, "largest": _largest(drawn, fewest)}


def _largest(drawn: Any, fewest: int) -> list[list[Any]]:
    """Return the largest noisy counts of the first table, for the picture of its page."""
    counted, numbers, _margin = drawn[0]
    import numpy as np

    shape = [len(domain.labels) for domain in counted.domains]
    shown = (place for place, number in enumerate(numbers) if number >= fewest)
    places = sorted(shown, key=lambda place: (-numbers[place], place))[:12]
    cells = [np.unravel_index(place, shape) for place in places]
    names = (", ".join(domain.labels[at] for domain, at in zip(counted.domains, each, strict=True)) for each in cells)
    return [[name, numbers[place]] for name, place in zip(names, places, strict=True)]
