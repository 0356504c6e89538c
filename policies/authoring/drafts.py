"""Drafts of policies: an officer's text in the browser, kept until it is published or discarded.

A draft belongs to an account, not to a name. It holds the files of a folder by name, as typed, so that what cannot be
read yet is not lost either. They are checked and published by what the shell uses. One check runs at a time: it takes a
processor for seconds.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict

from django.db import transaction
from django.utils import timezone

from common.actors import Officer
from common.canonical import canonical_json, sha256
from common.http.problems import Conflict, Unavailable
from common.postgres import advisory
from policies.authoring import checks, lifecycle
from policies.authoring.folder import (
    DATA,
    SAMPLE,
    SHIPPED,
    SHIPPED_SAMPLE,
    UnreadableFolder,
    folder_of,
    refuse_unbounded,
)
from policies.authoring.locations import placed
from policies.models import Policy, PolicyDraft

_ONE_CHECK = 0x706F6C636B  # "polck", an advisory lock of ours
_MOST_FINDINGS = 200


class DraftRefused(lifecycle.PolicyRefused):
    code = "draft_refused"
    title = "This cannot be kept"


class ChecksBusy(Unavailable):
    code = "checks_busy"
    title = "Another draft is being checked"


def starting_files(policy: Policy) -> dict[str, str]:
    """Return a draft's first files. A release's policy is stored without tests: those of this release are used."""
    tests = policy.tests or {path.name: path.read_text() for path in sorted(SHIPPED.glob("*_test.rego"))}
    files = {**policy.modules, **tests}
    files[SAMPLE] = _written(policy.sample) if policy.sample else _shipped_sample()
    if policy.overlay:
        files[DATA] = _written(policy.overlay)
    return files


def find(policy: Policy, author: Officer) -> PolicyDraft | None:
    return PolicyDraft.objects.filter(policy=policy, account=author.account).first()


@transaction.atomic
def keep(policy: Policy, author: Officer, *, name: str, text: str, seen: str) -> str | None:
    """Keep one file as typed; the latest wins. Return what it overwrote, if that is not what the author had ``seen``.

    A file that another window removed is there again. Raises UnreadableFolder, DraftRefused: then nothing is kept.
    """
    _refuse_nul(name, text)
    draft = _locked(policy, author)
    before = draft.files.get(name)
    _store(draft, {**draft.files, name: text})
    return before if before not in (None, text) and digest_of(before) != seen else None


@transaction.atomic
def add(policy: Policy, author: Officer, name: str) -> None:
    """Add an empty file. Raises UnreadableFolder, DraftRefused."""
    _refuse_nul(name)
    draft = _locked(policy, author)
    if name in draft.files:
        raise DraftRefused(f"The draft has a file {name} already.")
    text = "{}\n" if name in (DATA, SAMPLE) else "package governance.\n"
    _store(draft, {**draft.files, name: text})


@transaction.atomic
def remove(policy: Policy, author: Officer, name: str) -> None:
    """Remove a file from the draft. Raises DraftRefused for the last module."""
    draft = _locked(policy, author)
    left = {path: text for path, text in draft.files.items() if path != name}
    if not any(path.endswith(".rego") and not path.endswith("_test.rego") for path in left):
        raise DraftRefused("A policy has at least one module.")
    _store(draft, left)


def discard(policy: Policy, author: Officer) -> None:
    PolicyDraft.objects.filter(policy=policy, account=author.account).delete()


def check(policy: Policy, author: Officer) -> PolicyDraft:
    """Lint and test the draft as the shell does, and keep what was found. Raises ChecksBusy."""
    with transaction.atomic():
        draft = _locked(policy, author)
    _checked(draft)
    return draft


def publish(policy: Policy, author: Officer, *, note: str, seen: str) -> Policy:
    """Check and store the draft as a policy; nothing is in force by it. ``seen`` is the digest of what was reviewed.

    Raises Conflict, ChecksBusy, PolicyRefused. The draft ends with its publication.
    """
    _refuse_nul(note)
    draft = find(policy, author)
    if draft is None or files_digest(draft.files) != seen:
        raise Conflict("The draft has changed since you looked at it. Look at the changes again.")
    if not note.strip():
        raise DraftRefused("Say in the note what changes, for whoever approves it.")
    report = _checked(draft)
    if report is None or not report.is_clean:
        raise DraftRefused("The draft does not pass the checks. What was found stands below.")
    published = _publish(draft, report, note.strip(), author)
    # What was typed while the check ran is another draft, and stays.
    PolicyDraft.objects.filter(pk=draft.pk, changed_at=draft.changed_at).delete()
    return published


def _publish(draft: PolicyDraft, report: checks.CheckReport, note: str, author: Officer) -> Policy:
    folder = folder_of(draft.files)
    digest = lifecycle.digest_of(folder)
    if Policy.objects.filter(pk=digest).exists():
        raise DraftRefused("These rules are published already: only tests or sample data differ, or nothing does.")
    return lifecycle.publish_policy(folder, report, author=author, note=note)


def digest_of(text: str) -> str:
    return sha256(text.encode()).hex()


def files_digest(files: Mapping[str, str]) -> str:
    return sha256(canonical_json(dict(files))).hex()


def _refuse_nul(*texts: str) -> None:
    """Refuse what no table takes, so that the page is shown again with the text."""
    if any("\x00" in text for text in texts):
        raise DraftRefused("The text holds a NUL character, which cannot be stored. It is shown again without it.")


def _locked(policy: Policy, author: Officer) -> PolicyDraft:
    """Return the draft, begun if there is none, with its row locked until commit."""
    PolicyDraft.objects.get_or_create(policy=policy, account=author.account, defaults={"files": starting_files(policy)})
    return PolicyDraft.objects.select_for_update(of=("self",)).get(policy=policy, account=author.account)


def _store(draft: PolicyDraft, files: dict[str, str]) -> None:
    refuse_unbounded(files)
    if files != draft.files:
        draft.files, draft.changed_at = files, timezone.now()
        draft.save(update_fields=["files", "changed_at"])


def _checked(draft: PolicyDraft) -> checks.CheckReport | None:
    """Check and keep the findings; None where the files could not even be read."""
    report, found = None, []
    try:
        folder = folder_of(draft.files)
        with _one_at_a_time():
            report = checks.check(folder)
    except UnreadableFolder as unreadable:
        found = placed(checks.CheckReport(problems=[unreadable.detail]), draft.files)
    else:
        found = placed(report, draft.files)
    draft.report = {
        "of": files_digest(draft.files),
        "findings": [asdict(finding) for finding in found[:_MOST_FINDINGS]],
        "more": max(0, len(found) - _MOST_FINDINGS),
        "passed": report.passed if report else 0,
        "coverage": report.coverage if report else 0,
        "opa": bool(report and report.opa),
    }
    PolicyDraft.objects.filter(pk=draft.pk).update(report=draft.report)
    return report


@contextmanager
def _one_at_a_time() -> Iterator[None]:
    with advisory.held(_ONE_CHECK) as is_held:
        if not is_held:
            raise ChecksBusy("Another draft is being checked. What you typed is kept; try again in a moment.")
        yield


def _shipped_sample() -> str:
    return SHIPPED_SAMPLE.read_text() if SHIPPED_SAMPLE.exists() else "{}\n"


def _written(value: object) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"
