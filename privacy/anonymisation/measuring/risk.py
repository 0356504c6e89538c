"""Risk of re-identification that is left: what an attacker gains who knows the quasi-identifiers of people.

The three attackers of El Emam and Dankar, "Protecting privacy using k-anonymity", JAMIA 2008.
"""

from dataclasses import dataclass

import numpy as np

from privacy.anonymisation.measuring.result import Result

_MINIMALITY = (
    "Classes end where the limit is just met. An attacker who knows the method can conclude from a generalised class "
    "that a smaller one would have broken the limit on the sensitive column (minimality attack, Wong et al., VLDB "
    "2007): leave a margin to the limit that is really needed."
)


@dataclass(frozen=True)
class Risk:
    """Chances of naming the person of a row, each in [0, 1].

    ``prosecutor`` looks for a person who is known to be in the table: the greatest chance over all rows.
    ``journalist`` looks for any person of the population, and does not know who is in the table. Where the population
    is not known the table stands for it: the greatest chance there can be. ``marketer`` wants as many as possible: the
    mean over all rows. ``unique_before`` and ``unique_after`` are the shares of rows with quasi-identifiers of their
    own.
    ``classes_at_k`` is the number of classes that hold no more than k. ``minimality`` warns where a condition on the
    sensitive column shaped the classes.
    """

    prosecutor: float
    journalist: float
    marketer: float
    unique_before: float
    unique_after: float
    classes_at_k: int
    minimality: str | None


def risk_of(result: Result, fewest_covered: int | None = None) -> Risk:
    """Measure the risk of a result; people are counted where a column names them.

    ``fewest_covered``: people of the population whom a class covers at least, where the population is known.
    """
    published = int(result.rows.sum())
    people = np.maximum(result.people, 1)
    greatest = float(1 / people.min()) if result.number else 0.0
    wish = result.wish
    return Risk(
        prosecutor=greatest,
        journalist=greatest if not fewest_covered else min(greatest, 1 / fewest_covered),
        marketer=float((result.rows / people).sum() / published) if published else 0.0,
        unique_before=result.unique / result.total,
        unique_after=float((result.rows == 1).sum() / published) if published else 0.0,
        classes_at_k=int((result.people == wish.k).sum()),
        minimality=_MINIMALITY if wish.l > 1 or wish.t is not None else None,
    )
