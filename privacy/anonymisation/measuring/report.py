"""The report on an anonymisation: what was asked, what came out, what it lost and what risk is left."""

from collections.abc import Mapping
from dataclasses import dataclass

from privacy.anonymisation.measuring.result import Result
from privacy.anonymisation.measuring.risk import Risk, risk_of
from privacy.anonymisation.partition.distances import Ground, distance_for


@dataclass(frozen=True)
class OfSensitive:
    """What was reached for one sensitive column."""

    fewest: int
    furthest: float
    distance: Ground


@dataclass(frozen=True)
class AnonymisationReport:
    """Parameters of an anonymisation and the measures of its result.

    ``smallest_class`` counts people where a column names the person. ``fewest_sensitive`` is the least number of
    distinct sensitive values in a class and ``furthest`` the greatest distance of their shares from the whole table's,
    by the ground distance ``distance``; None without a sensitive column. With several they are those of the worst, and
    ``of_sensitive`` has each. A missing value counts as no value, but has a share.

    ``ncp`` is the normalised certainty penalty, averaged over all cells of the quasi-identifiers: 0 nothing lost, 1
    everything; a suppressed row loses everything. ``generalised_as`` says range, set or hierarchy for each
    quasi-identifier, ``loss`` its part of the penalty. ``discernibility`` is the sum of squared class sizes (Bayardo
    and Agrawal 2005), each suppressed row counted as large as the table; ``average_class`` the mean class size over k
    (LeFevre et al. 2006).
    """

    k: int
    l: int  # noqa: E741 - the literature's name
    diversity: str
    t: float | None
    person: str | None
    smallest_class: int
    fewest_sensitive: int | None
    furthest: float | None
    distance: str | None
    of_sensitive: Mapping[str, OfSensitive]
    classes: int
    rows: int
    suppressed: int
    ncp: float
    discernibility: int
    average_class: float
    generalised_as: Mapping[str, str]
    loss: Mapping[str, float]
    risk: Risk


def report_on(result: Result, fewest_covered: int | None = None) -> AnonymisationReport:
    """Measure a result; see ``risk_of``."""
    rows, total, suppressed = result.rows, result.total, result.suppressed
    loss = {name: float((each.loss @ rows + suppressed) / total) for name, each in result.shown.items()}
    found = {
        name: OfSensitive(spread.fewest, spread.furthest, distance_for(result.sensitive[name].domain)[0])
        for name, spread in result.spreads.items()
    }
    wish = result.wish
    return AnonymisationReport(
        k=wish.k,
        l=wish.l,
        diversity=wish.diversity,
        t=wish.t,
        person=wish.person,
        smallest_class=int(result.people.min(initial=total)),
        fewest_sensitive=min((each.fewest for each in found.values()), default=None),
        furthest=max((each.furthest for each in found.values()), default=None),
        distance=", ".join(dict.fromkeys(each.distance for each in found.values())) or None,
        of_sensitive=found,
        classes=result.number,
        rows=total,
        suppressed=suppressed,
        ncp=sum(loss.values()) / len(loss),
        discernibility=int((rows**2).sum()) + suppressed * total,
        average_class=(total - suppressed) / max(result.number, 1) / wish.k,
        generalised_as={name: domain.kind for name, domain in result.domains.items()},
        loss=loss,
        risk=risk_of(result, fewest_covered),
    )
