"""Command ``./assent policy rollout``: start, share, promote, stop, confirm, status (docs/policy-lifecycle.md)."""

from argparse import ArgumentTypeError
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.core.management.base import CommandParser
from django.utils import timezone

from common.http.problems import Conflict
from oversight.approvals.verdicts import EMERGENCY
from oversight.officers.accounts import officer
from oversight.rollouts import watch
from policies.authoring import lifecycle
from policies.bundles import candidates
from policies.bundles.subjects import ACTIVATE
from policies.models import Rollout
from policies.rollout import figures, service
from policies.rollout.guards import Figures, Guards, Side, read_guards

Say = Callable[[str], Any]
_GUARDS = {
    "window_minutes": (int, "MINUTES", "Count decisions of so many minutes"),
    "at_least": (int, "N", "Judge nothing before the candidate has decided so often"),
    "deny_points": (float, "POINTS", "Denials may be so many percentage points more or fewer"),
    "error_points": (float, "POINTS", "The engine may fail at so many more"),
    "latency_ratio": (float, "TIMES", "The slowest one in a hundred may take so many times as long"),
}


def add_arguments(parser: CommandParser) -> None:
    actions = parser.add_subparsers(dest="step", required=True)
    start = actions.add_parser("start", help="Evaluate a published policy beside the active one; answer nobody by it.")
    start.add_argument("policy", help="The beginning of its digest.")
    _person(start)
    start.add_argument("--because", default="", help="Why.")
    start.add_argument("--emergency", action="store_true", help="Without a simulation; the trail says so.")
    defaults = Guards()
    for name, (kind, metavar, text) in _GUARDS.items():
        default = f"{getattr(defaults, name):g}"
        start.add_argument(_flag(name), dest=name, type=kind, metavar=metavar, help=f"{text} (default: {default}).")
    share = actions.add_parser("share", help="Let the candidate answer so many per cent of the people.")
    share.add_argument("percent", type=_percent, help="0 to 100, down to hundredths; 0 answers nobody.")
    _person(share)
    promote = actions.add_parser("promote", help="Bring the candidate into force for everybody.")
    _person(promote)
    promote.add_argument("--because", default="", help="Why.")
    stop = actions.add_parser("stop", help="Take the candidate back; everybody is answered by the active policy.")
    _person(stop)
    stop.add_argument("--because", required=True, help="Why.")
    confirm = actions.add_parser("confirm", help="Confirm as another officer that the last one began in an emergency.")
    _person(confirm)
    confirm.add_argument("--because", default="", help="Why.")
    actions.add_parser("status", help="How far it is, and what both sides decided.")


def _percent(text: str) -> float:
    value = float(text)
    if not 0 <= value <= 100:  # nor is what is no number
        raise ArgumentTypeError("a share is between 0 and 100 per cent")
    return value


def _flag(name: str) -> str:
    return f"--{name.removesuffix('_minutes').replace('_', '-')}"


def _person(parser: CommandParser) -> None:
    parser.add_argument("--as", dest="person", required=True, metavar="NAME", help="The officer whose act it is.")


def run(say: Say, *, step: str, **options: Any) -> None:
    """Run one step. Raises Problem."""
    _STEPS[step](say, **options)


def _start(say: Say, *, policy: str, person: str, because: str, emergency: bool, **options: Any) -> None:
    actor = officer(person, right=EMERGENCY if emergency else ACTIVATE)
    found = lifecycle.find_policy(policy)
    limits = {name: options[name] for name in _GUARDS if options[name] is not None}
    reason = because if emergency else because or found.note
    rollout = service.start(found, actor=actor, reason=reason, guards=read_guards(limits), emergency=emergency)
    say(f"Policy {rollout.policy} is evaluated beside the active one from the next decision. It answers nobody.")
    say(_engine())
    say(f"Another person lets it answer people: ./assent policy rollout share 10 --as NAME{settings.HOME_OPTION}")


def _engine() -> str:
    if not settings.OPA_URL:
        return "The embedded engine evaluates both."
    if settings.OPA_CANDIDATE_URL:
        return "Each has an OPA server of its own."
    return "The embedded engine evaluates the candidate: OPA_CANDIDATE_URL names no second OPA server."


def _share(say: Say, *, percent: float, person: str, **_: Any) -> None:
    actor = officer(person, right=ACTIVATE)
    rollout = service.set_share(_running().pk, round(percent * 100), actor=actor)
    say(f"Policy {rollout.policy} answers {rollout.share / 100:g} % of the people from the next decision.")


def _promote(say: Say, *, person: str, because: str, **_: Any) -> None:
    rollout = _running()
    bundle = service.promote(rollout.pk, actor=officer(person, right=ACTIVATE), reason=because)
    say(f"In force from the next decision: policy {rollout.policy}, bundle {bundle.revision}.")


def _stop(say: Say, *, person: str, because: str, **_: Any) -> None:
    rollout = service.stop(_running().pk, actor=officer(person, right=ACTIVATE), reason=because)
    say(f"Policy {rollout.policy} answers nobody from the next decision.")


def _confirm(say: Say, *, person: str, because: str, **_: Any) -> None:
    rollout = Rollout.objects.first()
    if rollout is None:
        raise Conflict("There was no rollout yet.")
    service.confirm(rollout.pk, actor=officer(person, right=ACTIVATE), reason=because)
    say(f"That {rollout} was begun in an emergency is confirmed.")


def _running() -> Rollout:
    rollout = candidates.open_rollout()
    if rollout is None:
        raise Conflict("No rollout is running.")
    return rollout


def _status(say: Say, **_: Any) -> None:
    rollout = Rollout.objects.select_related("policy").first()
    if rollout is None:
        say("There was no rollout yet.")
        return
    share = f"answers {rollout.share / 100:g} % of the people" if rollout.share else "answers nobody"
    if not rollout.is_open:
        say(f"Policy {rollout.policy}: {rollout.get_state_display().lower()} at {rollout.ended_at:%Y-%m-%d %H:%M}.")
        say(f"Why: {rollout.why}")
        return
    say(f"Policy {rollout.policy} {share}, since {rollout.started_at:%Y-%m-%d %H:%M} UTC.")
    guards = read_guards(rollout.guards)
    counted = figures.figures_of(rollout, guards, now=timezone.now())
    say(f"In the log of the last {guards.window_minutes} minutes:")
    say(_side("would have decided" if counted.is_shadow else "candidate decided", counted.candidate))
    say(_side("active policy decided", counted.active))
    say(_judged(guards, counted))
    if watch.is_late(rollout):
        say(
            f"THE GUARDS HAVE NOT LOOKED since {rollout.watched_at:%H:%M:%S} UTC. Are worker, beat and drainer running?"
        )


def _side(name: str, side: Side) -> str:
    took = "" if side.p99_us is None else f", one in a hundred took longer than {side.p99_us / 1000:.1f} ms"
    return (
        f"  {name}: {side.decisions:,}, denied {100 * side.denials.value:.1f} %, engine failed at"
        f" {100 * side.failures.value:.1f} %{took}"
    )


def _judged(guards: Guards, counted: Figures) -> str:
    missing = guards.at_least - counted.candidate.decisions
    if missing > 0:
        return f"The guards judge after {missing:,} more decisions."
    return "The guards are looking: every 30 s, and a limit that is passed takes the candidate back."


_STEPS: dict[str, Callable[..., None]] = {
    "start": _start,
    "share": _share,
    "promote": _promote,
    "stop": _stop,
    "confirm": _confirm,
    "status": _status,
}
