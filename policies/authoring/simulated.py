"""Simulation requirement: no policy is activated before a report of what it would change."""

from datetime import timedelta

from django.conf import settings
from django.db.models import Q
from django.utils import timezone

from common.http.problems import Problem
from policies.bundles import publishing
from policies.models import ActiveBundle, Bundle, Policy, SimulationReport

RECENT = timedelta(days=7)
_MOST_LOOKED_AT = 20


class SimulationNeeded(Problem):
    status = 409
    code = "simulation_needed"
    title = "The policy has to be simulated first"


def refuse_unless_simulated(policy: Policy) -> None:
    """Require a recent simulation. Raises SimulationNeeded, which says what to do."""
    if recent_report(policy) is None:
        raise SimulationNeeded(
            f"Nobody has simulated policy {policy} against the rules in force in the last {RECENT.days} days."
            f" Run ./assent manage simulate {policy}{settings.HOME_OPTION}, or choose it on the page Simulations."
        )


def recent_report(policy: Policy) -> SimulationReport | None:
    """Return the newest finished simulation of the policy against the rules in force; an empty log makes an empty one.

    Rules are Rego: a change of the registers since then needs no other simulation, as it needs none to go into force.
    """
    active = ActiveBundle.objects.select_related("bundle").first()
    if active is None:
        return None
    of_policy = Q(policy=policy) | Q(candidate=publishing.revision_of(*publishing.assemble(policy)))
    done = SimulationReport.objects.defer("document").filter(
        of_policy, state=SimulationReport.State.DONE, finished_at__gte=timezone.now() - RECENT
    )
    for report in done.order_by("-finished_at")[:_MOST_LOOKED_AT]:
        if report.base == active.bundle_id or _rego(report.base) == active.bundle.policies:
            return report
    return None


def _rego(revision: str) -> dict[str, str] | None:
    return Bundle.objects.filter(pk=revision).values_list("policies", flat=True).first()
