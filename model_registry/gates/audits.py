"""Judges of the gates of audits: the figures of the newest audit against a threshold of the register.

Figures are whole thousandths. A figure that is not stated, or was no number, is no evidence: the gate fails.
"""

from decimal import Decimal

from model_registry.gates.models import Evidence

_UNSTATED = (False, "the figure that is compared is not stated.")


def bias(row: Evidence, least: Decimal) -> tuple[bool, str]:
    """Compare the worst slice: how well it is served at best, as a share of how well the others are."""
    at_most = row.figures.get("worst_at_most")
    if at_most is None:
        return _UNSTATED
    ratio, worst = _number(at_most), f"the worst of {row.figures['slices']} slices ({row.figures['worst']})"
    why = f"{worst} is served at most {ratio} times as well as the others; at least {least:f} is asked for."
    return ratio >= least, why


def leak(row: Evidence, most: Decimal) -> tuple[bool, str]:
    """Compare how well an attacker tells members, and learns what they did, at most."""
    found = [row.figures.get(name) for name in ("advantage_at_most", "probing_at_most")]
    stated = [each for each in found if each is not None]
    if len(stated) < len(found):
        return _UNSTATED
    worst = _number(max(stated))
    return worst <= most, f"an attacker gains at most {worst} over guessing; {most:f} is allowed."


def adversarial(row: Evidence, most: Decimal) -> tuple[bool, str]:
    """Compare the share of people whose lists fake profiles got an item into."""
    gained = row.figures.get("gained")
    if gained is None:
        return _UNSTATED
    share = _number(gained)
    why = f"one fake profile to a hundred people puts an item before {share:.0%} more of them; {most:.0%} is allowed."
    return share <= most, why


def regression(row: Evidence, most: Decimal) -> tuple[bool, str]:
    """Compare how many recorded cases the version answers in another way."""
    differ = row.figures.get("differ")
    if differ is None:
        return _UNSTATED
    why = f"{differ} of {row.figures['cases']} recorded cases are answered in another way; {most:f} may be."
    return differ <= most, why


def ageing(row: Evidence, most: Decimal) -> tuple[bool, str]:
    """Compare what quality loses between the first month after a training and a later one."""
    lost = row.figures.get("lost")
    if lost is None:
        return _UNSTATED
    why = f"quality loses {lost} thousandths over {row.figures['months']} months; {most:f} are allowed."
    return lost <= most, why


def unmeasured(row: Evidence) -> str:
    """Say why an audit failed before any threshold."""
    figures = row.figures
    if "why" in figures:
        return f"not measured: {figures['why']}."
    found = [f"{figures[name]} {what}" for name, what in _FAULTS.items() if figures.get(name)]
    return f"failed: {', '.join(found)}." if found else "failed."


_FAULTS = {
    "lone_weights": "weights of a single person",
    "segments_below": "segments below k people",
    "singled_out": "segments that two versions tell one person of",
    "unsound": "unsound answers to hostile input",
}


def _number(thousandths: int) -> Decimal:
    return Decimal(thousandths) / 1000
