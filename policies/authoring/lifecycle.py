"""Life cycle of a policy: publish after checks, activate with a second person, roll back: the PAP's rules.

Officers' changes of the registers go into force at once and alone, as ever; a change of the rules themselves needs two
people (docs/decisions/0014). What the person is called is the account's name: the caller has made sure of it.
"""

from typing import Any

from django.contrib.auth import get_user_model
from django.db import transaction

from audit import trail
from common import actors
from common.canonical import NotCanonical, canonical_json
from common.http.problems import Conflict, Problem
from oversight.officers import provenance
from policies.authoring import checks
from policies.authoring.checks import CheckReport
from policies.authoring.folder import Folder
from policies.authoring.simulated import refuse_unless_simulated
from policies.bundles import building, loading, publishing
from policies.certification import read_certification
from policies.models import Bundle, Policy, PolicyActivation

_SHORTEST_PREFIX = 6
Kind = PolicyActivation.Kind


class PolicyRefused(Problem):
    status = 422
    code = "policy_refused"
    title = "The policy is refused"


class SecondPersonNeeded(Problem):
    status = 403
    code = "second_person_needed"
    title = "Another person has to approve this policy"


def officer(name: str) -> str:
    """Return the actor of a name. Raises PolicyRefused where there is no such officer."""
    users = get_user_model().objects.filter(is_active=True, is_staff=True)
    account = users.filter(username=name).values_list("pk", flat=True).first()
    if account is None:
        raise PolicyRefused(f"No officer is called “{name}”.")
    return actors.Officer.of(name, account)


@transaction.atomic
def publish_policy(folder: Folder, report: CheckReport, *, author: str, note: str) -> Policy:
    """Store a folder that passed all checks; it is not in force yet. The first to store a policy is its author."""
    if not report.is_clean:
        raise PolicyRefused("Only a policy that passes lint and tests is published.")
    _refuse_collisions(folder)
    policy, created = Policy.objects.get_or_create(
        digest=digest_of(folder),
        defaults={
            "modules": folder.policies,
            "tests": folder.tests,
            "sample": folder.sample,
            "overlay": folder.overlay,
            "note": note[:200],
            "author": str(author),
            "author_account": actors.account_of(author),
            "checks": {"tests": report.passed, "coverage": report.coverage, "opa": bool(report.opa)},
        },
    )
    if created:
        trail.record("policy.published", policy.digest, actor=author, details={"note": note[:200], **policy.checks})
    return policy


def digest_of(folder: Folder) -> str:
    """Return the digest of a folder's policy. Raises PolicyRefused."""
    try:
        return publishing.policy_digest(folder.policies, folder.overlay)
    except NotCanonical:
        raise PolicyRefused("data.json may hold no fractions: their text differs between programs.") from None


def _refuse_collisions(folder: Folder) -> None:
    more_policies, more_data = read_certification()
    taken = {*building.build_data(), *more_data, "revision"} & folder.overlay.keys()
    if taken:
        raise PolicyRefused(f"data.json may not replace what the registers say: {', '.join(sorted(taken))}.")
    if more_policies.keys() & folder.policies.keys():
        raise PolicyRefused("A file's name is taken by the certification package.")


def activate_policy(policy: Policy, *, actor: str, reason: str, emergency: bool = False) -> Bundle:
    """Bring a policy into force at the next decision.

    In an emergency one person is enough, and no simulation is asked for; the trail says so under an action of its own,
    and the start page until another person has activated the same policy. Raises SecondPersonNeeded, SimulationNeeded,
    Conflict, PolicyRefused.
    """
    if emergency and not reason.strip():
        raise PolicyRefused("An emergency needs its reason.")
    if not emergency:
        refuse_the_author(policy, actor)
    seen = publishing.last_activation()
    is_confirmed = _confirms_an_emergency(seen, policy, actor)
    if not emergency and not is_confirmed:
        refuse_unless_simulated(policy)
    refuse_if_it_does_not_run(policy)
    with transaction.atomic():
        _refuse_if_overtaken(seen)
        bundle = publishing.bring_into_force(
            policy,
            kind=Kind.EMERGENCY if emergency else Kind.APPROVED,
            reason=reason,
            actor=actor,
        )
        if emergency:
            details = {"policy": policy.digest, "author": policy.author, "because": reason[:200]}
            trail.record("bundle.activated_in_emergency", bundle.revision, actor=actor, details=details)
    return bundle


def refuse_the_author(policy: Policy, actor: str) -> None:
    """Refuse the policy's author, and an account that the author may stand behind. Raises SecondPersonNeeded."""
    if is_author(policy, actor):
        raise SecondPersonNeeded(f"{policy} was published by the same person. Another one has to activate it.")
    _refuse_dependent(policy.author_account, actor)


def _refuse_dependent(first: int | None, actor: str) -> None:
    """Refuse an account that is not independent of the first. Without both numbers names are all there is to compare.

    Raises SecondPersonNeeded.
    """
    account = actors.account_of(actor)
    if first is None or account is None:
        return
    verdict = provenance.independent(first, account)
    if not verdict.is_independent:
        raise SecondPersonNeeded(verdict.why)


def is_author(policy: Policy, actor: str) -> bool:
    return actors.is_same_person(actor, policy.author, policy.author_account)


def _refuse_if_overtaken(seen: PolicyActivation | None) -> None:
    """Wait for other publishers; refuse where the policy that was in force when this began is not in force any more.

    What takes seconds, such as a trial run, comes before the lock; what was read for it must still hold under it.
    """
    publishing.wait_for_publishers()
    if publishing.last_activation() != seen:
        raise Conflict("Another policy came into force while this one was being checked. Look again, then repeat it.")


def roll_back(*, actor: str, reason: str, instead_of: Policy | None = None) -> Bundle:
    """Bring back the policy that was in force before the present one, over today's registers.

    Where ``instead_of`` is said, nothing but that policy is taken back. Two who press at once go back once. Raises
    Conflict.
    """
    last = publishing.last_activation()
    policy = previous_policy()
    if instead_of is not None and (last is None or last.policy_id != instead_of.digest):
        raise Conflict("This policy is not in force any more.")
    if policy is None:
        raise Conflict("No other policy was in force before this one.")
    refuse_if_it_does_not_run(policy)
    with transaction.atomic():
        _refuse_if_overtaken(last)
        bundle = publishing.bring_into_force(policy, kind=Kind.ROLLBACK, reason=reason, actor=actor)
        trail.record("policy.rolled_back", policy.digest, actor=actor, details={"reason": reason[:200]})
    return bundle


def previous_policy() -> Policy | None:
    """Return what was in force before: twice back is twice as far, not back and forth."""
    line: list[Policy] = []
    for activation in PolicyActivation.objects.select_related("policy").order_by("id"):
        if activation.kind == Kind.ROLLBACK and len(line) > 1:
            line.pop()
        elif not line or line[-1].digest != activation.policy_id:
            line.append(activation.policy)
    return line[-2] if len(line) > 1 else None


def unconfirmed_emergency() -> PolicyActivation | None:
    """Return the activation in force if it was one person's in an emergency and is unconfirmed."""
    last = publishing.last_activation()
    return last if last is not None and last.kind == Kind.EMERGENCY else None


def find_policy(beginning: str) -> Policy:
    """Find the policy whose digest begins so. Raises PolicyRefused."""
    digits = beginning.removeprefix("sha256:")
    found = list(Policy.objects.filter(digest__startswith=f"sha256:{digits}")[:2])
    if len(digits) < _SHORTEST_PREFIX or len(found) != 1:
        raise PolicyRefused(f"“{beginning}” is not the beginning of one published policy's digest.")
    return found[0]


def _confirms_an_emergency(last: PolicyActivation | None, policy: Policy, actor: str) -> bool:
    """Return whether this activation confirms another person's emergency activation.

    Raises Conflict for a policy that is in force and settled, SecondPersonNeeded for the person who activated it alone.
    """
    if last is None or last.policy_id != policy.digest:
        return False
    if last.kind != Kind.EMERGENCY:
        raise Conflict("This policy is in force.")
    if actors.is_same_person(actor, last.actor, last.actor_account):
        raise SecondPersonNeeded("Somebody else has to confirm what was activated in an emergency.")
    _refuse_dependent(last.actor_account, actor)
    return True


def refuse_if_it_does_not_run(policy: Policy) -> None:
    """Run the policy over the registers as they are, in a child: tests run over a sample."""
    modules, data = publishing.assemble(policy)
    problems = checks.compiles(modules, {**data, "revision": "sha256:trial"})
    problems += _unloadable(modules, data)
    if problems:
        raise PolicyRefused(problems[0])


def _unloadable(modules: dict[str, str], data: dict[str, Any]) -> list[str]:
    try:
        loading.load("sha256:trial", modules, canonical_json(data).decode())
    except (ValueError, KeyError, TypeError, AttributeError) as exc:
        return [f"A process could not load it: {exc}"]
    return []
