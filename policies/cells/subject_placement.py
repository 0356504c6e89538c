"""Placement of a person in a cell: by the residency rules of the bundle in force, read the same way in every cell.

The answer depends on the person's region, the rules and the table alone, never on where a request arrived. So a person
has one home, and a "no" stored there is not overlooked because another cell was asked.
"""

from dataclasses import dataclass

from policies.bundles.loading import LoadedBundle
from policies.cells.table import Cell, Table
from policies.decisions.facts import region_in


@dataclass(frozen=True)
class Unplaced:
    """Failure to name a cell, for a reason with a code of the decision contract."""

    code: str


Place = Cell | Unplaced


def home_of(region: str, bundle: LoadedBundle, table: Table, now: float) -> Place:
    """Return the cell for people of a region (a code as requests state it). ``now`` in epoch seconds.

    First the cells of the region's own group, then those a rule opens to it, last those that need a transfer
    instrument, which must be in force. Only a rule for all kinds of data counts: a cell holds all of them.
    """
    residency = bundle.data["residency"]
    group = residency["regions"].get(region_in(region, bundle))
    if group is None:
        return Unplaced("region_unknown")
    ended = {slug for slug, ends in bundle.instrument_ends if ends <= now}
    ranked: list[tuple[int, Cell]] = []
    for cell in table.cells:
        into = residency["processing"].get(cell.processing_region)
        rules = [r for r in residency["rules"] if (r["subject"], r["processing"]) == (group, into)]
        open_rules = [r for r in rules if "*" in r["categories"] and r["instrument"] not in ended]
        if open_rules:
            needs_instrument = all(rule["instrument"] is not None for rule in open_rules)
            ranked.append((2 if needs_instrument else 0 if into == group else 1, cell))
    # Of equals the first of the table: min keeps the order.
    return min(ranked, key=lambda found: found[0])[1] if ranked else Unplaced("residency")


def place(region: str | None, *, known: bool, bundle: LoadedBundle | None, table: Table, now: float) -> Place:
    """Return the cell of a question about a person. ``known``: the person has a row in this cell.

    A row binds: a person known here is answered here. A region that contradicts the row is a doubt, and nothing is
    decided or saved on it: a move and an error look the same here.
    """
    if known and not region:
        return table.own
    if bundle is None:
        return Unplaced("bundle_missing")
    home = home_of(region, bundle, table, now) if region else Unplaced("region_unknown")
    if not known or home == table.own:
        return home
    # A word that is no region at all contradicts nothing; the policy denies it by itself.
    return table.own if home == Unplaced("region_unknown") else Unplaced("region_conflict")
