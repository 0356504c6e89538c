"""Life cycle of a policy: publish after checks, activate with a second officer, roll back: the PAP's rules.

Who may approve, what an emergency is and how it is reviewed are those of everything that takes two officers
(docs/decisions/0042). A policy's own are its checks, its simulation and its rollout.
"""

from typing import Any

from django.conf import settings
from django.db import transaction

from audit import trail
from common import actors
from common.canonical import NotCanonical, canonical_json
from common.http.problems import Conflict, Problem
from oversight.approvals import steps, subjects, verdicts
from oversight.models import Approval
from oversight.problems import NotNow
from policies.authoring import checks
from policies.authoring.checks import CheckReport
from policies.authoring.folder import Folder
from policies.authoring.simulated import refuse_unless_simulated
from policies.bundles import building, loading, publishing
from policies.bundles.subjects import of_policy
from policies.certification import read_certification
from policies.models import Bundle, Policy, PolicyActivation

_SHORTEST_PREFIX = 6
_PUBLISHED, _REFUSED, _WITHDRAWN = "published", "refused", "withdrawn"
Kind = PolicyActivation.Kind


class PolicyRefused(Problem):
    status = 422
    code = "policy_refused"
    title = "The policy is refused"


@transaction.atomic
def publish_policy(folder: Folder, report: CheckReport, *, author: str, note: str) -> Policy:
    """Store a folder that passed all checks, and ask another officer to approve it; it is not in force yet.

    The first to store a policy is its author. One that was refused is asked about again.
    """
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
    subject = of_policy(policy)
    if created or _is_refused(policy):
        steps.record(subject, _PUBLISHED, actor=author, note=note[:200], details=policy.checks)
        subjects.ask(subject, actor=author)
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
    """Bring a policy into force at the next decision, as another officer than its author.

    In an emergency one officer is enough, and no simulation is asked for; the trail says so under an action of its own,
    and the start page until another officer has confirmed it. Raises SecondOfficerNeeded, SimulationNeeded, Conflict,
    PolicyRefused, ChangeRefused.
    """
    if emergency:
        verdicts.refuse_without_reason(reason)
    else:
        verdicts.require_second(of_policy(policy), actor)
    refuse_refused(policy)
    seen = publishing.last_activation()
    if seen is not None and seen.policy_id == policy.digest:
        raise Conflict(f"This policy is in force.{_to_confirm(policy)}")
    if not emergency:
        refuse_unless_simulated(policy)
    refuse_if_it_does_not_run(policy)
    with transaction.atomic():
        _refuse_if_overtaken(seen)
        refuse_refused(policy)
        if emergency:
            kind = Kind.EMERGENCY
        else:
            kind = kind_by(verdicts.approve(of_policy(policy), actor=actor, seen=policy.digest, reason=reason))
        bundle = publishing.bring_into_force(policy, kind=kind, reason=reason, actor=actor)
        if emergency:
            subjects.ask_for_review(of_policy(policy), actor=actor)
            details = {"policy": policy.digest, "author": policy.author, "because": reason[:200]}
            trail.record("bundle.activated_in_emergency", bundle.revision, actor=actor, details=details)
    return bundle


def _to_confirm(policy: Policy) -> str:
    if not subjects.waits_for_review(of_policy(policy)):
        return ""
    return f" Confirm what was done in an emergency: ./assent policy confirm {policy} --as NAME{settings.HOME_OPTION}"


def kind_by(approval: Approval) -> PolicyActivation.Kind:
    """Return how a policy is activated by an approval."""
    return Kind.SINGLE if approval.is_single else Kind.APPROVED


@transaction.atomic
def confirm(policy: Policy, *, actor: str, reason: str = "") -> None:
    """Confirm as another officer what one activated in an emergency. Raises SecondOfficerNeeded, NotNow."""
    publishing.wait_for_publishers()
    verdicts.review(of_policy(policy), actor=actor, reason=reason)


@transaction.atomic
def refuse(policy: Policy, *, actor: str, reason: str) -> None:
    """Refuse a policy that waits for an approval, or withdraw it as its author: it comes into force no more.

    Raises SecondOfficerNeeded, NotNow, ChangeRefused.
    """
    publishing.wait_for_publishers()
    subject = of_policy(policy)
    if not subjects.waits_for_approval(subject):
        raise NotNow("This policy does not wait for an approval.")
    if subject.is_author(actor):
        subjects.no_longer_needed(subject, actor=actor, outcome=_WITHDRAWN)
        steps.record(subject, _WITHDRAWN, actor=actor, note=reason)
    else:
        verdicts.refuse(subject, actor=actor, seen=policy.digest, reason=reason)
        steps.record(subject, _REFUSED, actor=actor, note=reason)


def refuse_refused(policy: Policy) -> None:
    """Refuse a policy that another officer refused, or its author withdrew. Raises Conflict."""
    if _is_refused(policy):
        raise Conflict("This policy was refused or withdrawn. Publish it again to ask for another look.")


def _is_refused(policy: Policy) -> bool:
    last = steps.last(of_policy(policy), _PUBLISHED, _REFUSED, _WITHDRAWN)
    return last is not None and last.kind != _PUBLISHED


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


def find_policy(beginning: str) -> Policy:
    """Find the policy whose digest begins so. Raises PolicyRefused."""
    digits = beginning.removeprefix("sha256:")
    found = list(Policy.objects.filter(digest__startswith=f"sha256:{digits}")[:2])
    if len(digits) < _SHORTEST_PREFIX or len(found) != 1:
        raise PolicyRefused(f"“{beginning}” is not the beginning of one published policy's digest.")
    return found[0]


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
