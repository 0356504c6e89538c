"""Policies from an editor to the next decision and back (docs/policy-lifecycle.md)."""

import json
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from common.http.problems import Problem
from oversight.approvals.verdicts import EMERGENCY
from oversight.officers.accounts import officer
from policies.authoring import checks, comparison, lifecycle
from policies.authoring.folder import SAMPLE, SHIPPED, SHIPPED_SAMPLE, Folder, read_folder
from policies.authoring.lint import lint
from policies.bundles import building, bundle_file, candidates, publishing
from policies.bundles.subjects import ACTIVATE, PUBLISH
from policies.models import Bundle, Policy
from policies.rollout import command


class Command(BaseCommand):
    help = "Lint, test, build, publish, activate, compare policies, and go back to the one before."

    def add_arguments(self, parser: CommandParser) -> None:
        actions = parser.add_subparsers(dest="what", required=True)
        for name, text in {
            "lint": "Find what the engines read differently, what nobody tests, what could do harm.",
            "test": "Lint, then compile and run the tests in the embedded engine, and in OPA where there is one.",
        }.items():
            _folder(actions.add_parser(name, help=text))
        build = actions.add_parser("build", help="Test, then write a signed bundle file for OPA.")
        _folder(build)
        build.add_argument("--revision", help="Write this stored bundle instead, or `active`.")
        build.add_argument("-o", "--output", type=Path, default=Path("bundle.tar.gz"))
        publish = actions.add_parser("publish", help="Test, then store the policy. Nothing is in force by it.")
        _folder(publish)
        _person(publish)
        publish.add_argument("--note", default="", help="What changed, for whoever approves it.")
        activate = actions.add_parser("activate", help="Bring a published policy into force, as another person.")
        activate.add_argument("policy", help="The beginning of its digest.")
        _person(activate)
        activate.add_argument("--because", default="", help="Why.")
        activate.add_argument("--emergency", action="store_true", help="Alone; the trail and the start page say so.")
        confirm = actions.add_parser("confirm", help="Confirm as another officer what one activated in an emergency.")
        refuse = actions.add_parser("refuse", help="Refuse a policy that waits for approval, or withdraw your own.")
        for verdict in (confirm, refuse):
            verdict.add_argument("policy", help="The beginning of its digest.")
            _person(verdict)
            verdict.add_argument("--because", default="", help="Why.")
        rollback = actions.add_parser("rollback", help="Go back to the policy that was in force before.")
        _person(rollback)
        rollback.add_argument("--because", required=True, help="Why.")
        rollout = (
            "Bring a policy into force by and by: beside the active one, for a share of the people, for everybody."
        )
        command.add_arguments(actions.add_parser("rollout", help=rollout))
        diff = actions.add_parser("diff", help="What changed: policies, bundles, a folder, or `active`.")
        diff.add_argument("before", help="A digest's beginning, a folder, or `active`.")
        diff.add_argument("after", help="The same.")
        actions.add_parser("list", help="The published policies, newest first.")

    def handle(self, *args: Any, what: str, **options: Any) -> None:
        try:
            getattr(self, f"_{what}")(**options)
        except Problem as problem:
            raise CommandError(problem.detail) from None

    def _lint(self, *, folder: Path, sample: Path | None, **_: Any) -> None:
        read = _read(folder, sample)
        self._complain([str(finding) for finding in lint(read.policies, read.tests, {**read.sample, **read.overlay})])
        self.stdout.write(f"{len(read.policies)} files and {len(read.tests)} files of tests: no finding.")

    def _test(self, *, folder: Path, sample: Path | None, **_: Any) -> None:
        self._tested(folder, sample)

    def _tested(self, folder: Path, sample: Path | None) -> tuple[Folder, checks.CheckReport]:
        read = _read(folder, sample)
        report = checks.check(read)
        self._complain(report.complaints)
        engines = "both engines" if report.opa else "the embedded engine (no opa on the PATH)"
        self.stdout.write(f"{report.passed} tests hold in {engines}; {report.coverage} % of the lines were run.")
        return read, report

    def _complain(self, complaints: list[str]) -> None:
        for complaint in complaints:
            self.stderr.write(complaint)
        if complaints:
            raise CommandError(f"{len(complaints)} findings.")

    def _build(self, *, folder: Path, sample: Path | None, revision: str | None, output: Path, **_: Any) -> None:
        if revision is None:
            read, _report = self._tested(folder, sample)
            policies, data = read.policies, {**building.build_data(), **read.overlay}
            revision = publishing.revision_of(policies, data)
        else:
            bundle = comparison.find_bundle(revision)
            policies, data, revision = bundle.policies, json.loads(bundle.data), bundle.revision
        output.write_bytes(bundle_file.write_bundle(revision, policies, data))
        self.stdout.write(
            f"{output}: {revision}, signed. The key: ./assent manage signing_keys bundle-pem{settings.HOME_OPTION}"
        )

    def _publish(self, *, folder: Path, sample: Path | None, person: str, note: str, **_: Any) -> None:
        author = officer(person, right=PUBLISH)
        policy = lifecycle.publish_policy(*self._tested(folder, sample), author=author, note=note)
        self.stdout.write(f"Published {policy.digest}, by {policy.author}. See what it would change, then begin:")
        self.stdout.write(f"  ./assent manage simulate {policy}{settings.HOME_OPTION}")
        self.stdout.write(f"  ./assent policy rollout start {policy} --as NAME{settings.HOME_OPTION}")

    def _activate(self, *, policy: str, person: str, because: str, emergency: bool, **_: Any) -> None:
        actor = officer(person, right=EMERGENCY if emergency else ACTIVATE)
        found = lifecycle.find_policy(policy)
        reason = because if emergency else because or found.note
        self._in_force(lifecycle.activate_policy(found, actor=actor, reason=reason, emergency=emergency))

    def _confirm(self, *, policy: str, person: str, because: str, **_: Any) -> None:
        found = lifecycle.find_policy(policy)
        lifecycle.confirm(found, actor=officer(person, right=ACTIVATE), reason=because)
        self.stdout.write(f"Policy {found}: what was done in an emergency is confirmed.")

    def _refuse(self, *, policy: str, person: str, because: str, **_: Any) -> None:
        found = lifecycle.find_policy(policy)
        lifecycle.refuse(found, actor=officer(person, right=ACTIVATE), reason=because)
        self.stdout.write(f"Policy {found} does not come into force, unless it is published again.")

    def _rollback(self, *, person: str, because: str, **_: Any) -> None:
        self._in_force(lifecycle.roll_back(actor=officer(person, right=ACTIVATE), reason=because))

    def _rollout(self, **options: Any) -> None:
        command.run(self.stdout.write, **options)

    def _in_force(self, bundle: Bundle) -> None:
        last = publishing.last_activation()
        self.stdout.write(f"In force from the next decision: policy {last and last.policy}, bundle {bundle.revision}.")

    def _diff(self, *, before: str, after: str, **_: Any) -> None:
        old, new = comparison.find(before), comparison.find(after)
        for line in comparison.differences(old, new):
            self.stdout.write(line)

    def _list(self, **_: Any) -> None:
        last, rollout = publishing.last_activation(), candidates.open_rollout()
        states = {rollout.policy_id: "rolling out"} if rollout else {}
        states |= {last.policy_id: "in force"} if last else {}
        for policy in Policy.objects.all():
            state = states.get(policy.digest, "published")
            self.stdout.write(f"{policy}  {policy.created_at:%Y-%m-%d %H:%M}  {state}  {policy.author}  {policy.note}")


def _folder(parser: CommandParser) -> None:
    parser.add_argument("folder", type=Path, nargs="?", default=SHIPPED, help="Default: the policies of this release.")
    parser.add_argument("--sample", type=Path, help=f"Stands in for the registers. Default: {SAMPLE} in the folder.")


def _person(parser: CommandParser) -> None:
    parser.add_argument("--as", dest="person", required=True, metavar="NAME", help="The officer whose act it is.")


def _read(folder: Path, sample: Path | None) -> Folder:
    """Read a folder; one without a sample is tested over that of this release."""
    if sample is None and not (folder / SAMPLE).exists() and SHIPPED_SAMPLE.exists():
        sample = SHIPPED_SAMPLE
    return read_folder(folder, sample=sample)
