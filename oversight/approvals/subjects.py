"""Subjects of approvals: kinds of what takes two officers, registered by the packages whose it is."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from django.db.models import QuerySet

from common import actors
from common.admin_pages.display import who
from oversight.models import Approval, Step, WorkItem
from oversight.work import items, kinds


@dataclass(frozen=True)
class Subject:
    """What is approved: an object as it stands, under the digest that officers are shown, and whose work it is."""

    kind: str
    key: str
    digest: str
    title: str
    author: str
    account: int | None = None
    reason: str = ""
    trail_object: str = ""  # what the audit trail calls it, where that is not its key

    def is_author(self, actor: str) -> bool:
        """Return whether an actor is its author, by account number where both have one."""
        return actors.is_same_person(actor, self.author, self.account)


@dataclass(frozen=True)
class Kind:
    """Kind of subject: who may approve it, where, and how its work is headed. ``reviewed``: of what one did alone."""

    slug: str
    noun: str
    right: str
    load: Callable[[str], Subject]
    url: Callable[[str], str]
    waits: str
    reviewed: str = ""

    @property
    def approval(self) -> str:
        """Return the kind of work that asks for an approval."""
        return f"{self.slug}-approval"

    @property
    def review(self) -> str:
        """Return the kind of work that asks for a look at what one officer did alone."""
        return f"{self.slug}-review"


_kinds: dict[str, Kind] = {}


def add(*found: Kind) -> None:
    """Register kinds, and the work that waits for their second officer. Called in ``AppConfig.ready()``."""
    for kind in found:
        _kinds[kind.slug] = kind
        shared: dict[str, Any] = {"permission": kind.right, "url": kind.url}
        kinds.add(
            kinds.Kind(
                slug=kind.approval,
                title=kind.waits,
                due=timedelta(days=3),
                describe=_describes(kind.load),
                may_see=_is_anothers(kind.load),
                **shared,
            )
        )
        if kind.reviewed:
            kinds.add(
                kinds.Kind(
                    slug=kind.review,
                    title=kind.reviewed,
                    due=timedelta(days=1),
                    severity="now",
                    describe=_describes(_alone(kind)),
                    may_see=_is_anothers(kind.load, is_review=True),
                    **shared,
                )
            )


def find(slug: str) -> Kind:
    """Return a kind by its slug."""
    return _kinds[slug]


def alone(subject: Subject) -> QuerySet[Step]:
    """Return the steps that one officer took without a second, since another last looked."""
    found = Step.objects.filter(subject=subject.kind, object=subject.key)
    looked = found.filter(kind=Approval.Verdict.REVIEWED).last()
    return found.filter(is_alone=True, **({"pk__gt": looked.pk} if looked else {}))


def acted_alone(subject: Subject, actor: str) -> bool:
    """Return whether an officer took one of the steps that wait for another's look."""
    return any(actors.is_same_person(actor, step.actor, step.account) for step in alone(subject))


Load = Callable[[str], Subject]


def _alone(kind: Kind) -> Load:
    """Return what loads a subject with the officer who acted alone last, and why, in place of its author."""

    def load(key: str) -> Subject:
        subject = kind.load(key)
        step = alone(subject).last()
        return subject if step is None else replace(subject, author=step.actor, account=step.account, reason=step.note)

    return load


def _describes(load: Load) -> Callable[[str], str]:
    def describe(key: str) -> str:
        subject = load(key)
        because = f": “{subject.reason}”" if subject.reason else "."
        return f"{subject.title}, by {who(subject.author)}{because}"

    return describe


def _is_anothers(load: Load, *, is_review: bool = False) -> Callable[[WorkItem, Any], bool]:
    """Return whether the work is on what other officers did: its author cannot second it, nor who acted alone."""

    def is_anothers(item: WorkItem, user: Any) -> bool:
        officer, subject = actors.Officer.of(user.get_username(), user.pk), load(item.object)
        return not (subject.is_author(officer) or (is_review and acted_alone(subject, officer)))

    return is_anothers


def ask(subject: Subject, *, actor: str) -> None:
    """Ask another officer to approve a subject."""
    items.open_item(find(subject.kind).approval, subject.key, actor=actor)


def ask_for_review(subject: Subject, *, actor: str) -> None:
    """Ask another officer to look at what one did alone, instead of for an approval."""
    no_longer_needed(subject, actor=actor)
    items.open_item(find(subject.kind).review, subject.key, actor=actor)


def done(work: str, subject: Subject, *, actor: str, outcome: str = "") -> None:
    """Close the work of a kind on a subject, if there is any."""
    item = items.find_open(work, subject.key)
    if item is not None:
        items.finish(item, actor=actor, outcome=outcome)


def no_longer_needed(subject: Subject, *, actor: str, outcome: str = "") -> None:
    """Void the request to approve a subject, if there is one."""
    item = items.find_open(find(subject.kind).approval, subject.key)
    if item is not None:
        items.void(item, actor=actor, outcome=outcome)


def waits_for_approval(subject: Subject) -> bool:
    """Return whether another officer was asked to approve a subject."""
    return items.find_open(find(subject.kind).approval, subject.key) is not None


def waits_for_review(subject: Subject) -> bool:
    """Return whether one officer acted alone and no other has looked at it."""
    return items.find_open(find(subject.kind).review, subject.key) is not None
