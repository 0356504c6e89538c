"""Policies on their way into force: published without the checks of a folder, which have tests of their own."""

from datetime import timedelta
from typing import Any

from django.contrib.auth.models import User
from django.utils import timezone

from common import actors
from oversight.rollouts import service as steps
from policies.bundles import publishing
from policies.bundles.candidates import KIND
from policies.models import Policy, Rollout
from policies.rollout import service
from policies.rollout.guards import Guards
from policies.simulation import service as simulations
from tests.helpers.officers import make_accounts

# Anna writes policies; Berta approves them, who has an account from the first policy on.
ANNA, BERTA = "officer:anna", actors.Officer.of("berta", 1002)
_PERMIT = "\tinput.held == false\n"
# What a candidate says to a question that is permitted today.
STRICT = {_PERMIT: f'{_PERMIT}\tinput.subject.region != "DE"\n'}
BROKEN = {'"level": permitted_level,': '"level": 7,'}  # no answer a process could read
SAME = {"# The answer to": "# What is answered to"}


def publish(changes: dict[str, str] = STRICT, *, author: str = ANNA, note: str = "no profiling") -> Policy:
    """The shipped policy with pieces of its decision exchanged."""
    if not User.objects.filter(pk=BERTA.account).exists():
        make_accounts(BERTA)
    modules = dict(publishing.read_policies())
    text = modules["decision.rego"]
    for old, new in changes.items():
        assert old in text
        text = text.replace(old, new, 1)
    modules["decision.rego"] = text
    return Policy.objects.create(
        digest=publishing.policy_digest(modules, {}),
        modules=modules,
        author=str(author),
        author_account=actors.account_of(author),
        note=note,
    )


def simulate(policy: Policy) -> None:
    report = simulations.simulate(policy, since=timezone.now() - timedelta(days=1))
    simulations.keep(report, author="operator", policy=policy)


def start(changes: dict[str, str] = STRICT, *, share: int = 0, guards: Guards | None = None, **more: Any) -> Rollout:
    """A rollout Anna started in an emergency, so that no simulation is needed; widened by Berta."""
    rollout = service.start(
        publish(changes), actor=ANNA, reason="test", guards=guards or Guards(), **{"emergency": True, **more}
    )
    return service.set_share(rollout.pk, share, actor=BERTA) if share else rollout


def roll_back(rollout: Rollout, *, why: str, figures: dict[str, Any] | None = None) -> bool:
    """What the watch does to a candidate that passed a limit."""
    return steps.roll_back(KIND, rollout.pk, why=why, figures=figures or {})
