"""What a release is asked to be: roles of the columns, parameters, purpose, receivers; checked before a job begins."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from django.db import transaction

from audit import trail
from common import actors
from consent.models import Party, Purpose
from privacy.anonymisation.actions import wanted
from privacy.anonymisation.actions.wanted import Action
from privacy.anonymisation.errors import AnonymisationError
from privacy.anonymisation.wish import Diversity, Wish
from privacy.models import TableRelease, UploadedTable
from privacy.releases import uploads
from privacy.releases.problems import AskedWrongly
from privacy.releases.profiling import LABELS, Role

if TYPE_CHECKING:
    from privacy.releases.noisy.asking import NoisyAsked

MOST_DAYS = 3_650


@dataclass(frozen=True, kw_only=True)
class Asked:
    """A release as an officer asks for it. ``people``: the group of regions whose people the table is about.

    ``hierarchies``: by column, the SHA-256 of the file of its generalisations.
    ``actions``: ``COLUMN=KIND[:options]`` each, of ``privacy.anonymisation.actions``.
    """

    roles: Mapping[str, str]
    k: int
    l: int = 1  # noqa: E741 - the literature's name
    diversity: Diversity = "distinct"
    t: float | None = None
    suppress: float = 0.0
    fast: bool = False
    hierarchies: Mapping[str, str] = field(default_factory=dict)
    purpose: str
    receivers: tuple[str, ...]
    people: str
    region: str
    days: int
    reason: str = ""
    actions: tuple[str, ...] = ()

    @classmethod
    def of(cls, release: TableRelease) -> "Asked":
        said = release.asked
        return cls(**{**said, "receivers": tuple(said["receivers"]), "actions": tuple(said.get("actions", ()))})

    @property
    def acting(self) -> tuple[Action, ...]:
        """Return the actions on columns. Raises AnonymisationError."""
        return wanted.parse_all(self.actions)

    @property
    def left_out(self) -> list[str]:
        """Return the columns that the copy does not have: what identifies, unless an action changes it."""
        kept = wanted.columns_of(self.acting)
        return [name for role in (Role.DIRECT, Role.PERSON) for name in self.columns(role) if name not in kept]

    def columns(self, role: Role) -> list[str]:
        """Return the columns of a role."""
        return [name for name, given in self.roles.items() if given == role]

    @property
    def sensitive(self) -> tuple[str, ...]:
        return tuple(self.columns(Role.SENSITIVE))

    @property
    def person(self) -> str | None:
        return next(iter(self.columns(Role.PERSON)), None)

    @property
    def wish(self) -> Wish:
        """Return what the engine is asked for."""
        return Wish(
            k=self.k,
            sensitive=self.sensitive,
            l=self.l,
            diversity=self.diversity,
            t=self.t,
            person=self.person,
            suppress=self.suppress,
            fast=self.fast,
        )

    @property
    def details(self) -> dict[str, Any]:
        """Return what the trail says of it."""
        limit = None if self.t is None else repr(self.t)
        return {"k": self.k, "l": self.l, "t": limit, "purpose": self.purpose, "receivers": list(self.receivers)}

    def check(self, table: UploadedTable) -> None:
        """Raise AskedWrongly for what makes no sense, or names what no register knows."""
        self._check_columns(table)
        try:
            self.wish.check(self.columns(Role.QUASI))
            wanted.check(self.acting, self.wish, self.columns(Role.QUASI), ())
            self._check_action_columns()
        except AnonymisationError as refused:
            raise AskedWrongly(str(refused)) from None
        check_receivers(self.purpose, self.receivers, self.days)

    def _check_action_columns(self) -> None:
        for action in self.acting:
            if action.column not in self.roles:
                raise AskedWrongly(f"“{action.column}” has an action and is no column of the table.", field="actions")
            is_direct = self.roles[action.column] == Role.DIRECT
            if is_direct and action.kind not in wanted.EXPECTED_UNIQUE:
                raise AskedWrongly(
                    f"“{action.column}” identifies people, and would after “{action.kind}”: hash it, or leave it out.",
                    field=f"column {action.column}",
                )

    def _check_columns(self, table: UploadedTable) -> None:
        names = [column["name"] for column in table.columns]
        if set(self.roles) != set(names):
            absent = sorted(set(self.roles) - set(names)) or sorted(set(names) - set(self.roles))
            raise AskedWrongly(f"Each column has one role; look at “{absent[0]}”. The columns: {', '.join(names)}.")
        if unknown := [name for name, role in self.roles.items() if role not in LABELS]:
            said = f"“{unknown[0]}” has no role. There are: {', '.join(Role)}."
            raise AskedWrongly(said, field=f"column {unknown[0]}")
        if second := self.columns(Role.PERSON)[1:]:
            raise AskedWrongly("One column at most names the person; leave others out.", field=f"column {second[0]}")
        protected = {*self.columns(Role.QUASI), *self.sensitive}
        if strange := sorted(set(self.hierarchies) - protected):
            said = f"“{strange[0]}” has a hierarchy, and is neither a quasi-identifier nor sensitive."
            raise AskedWrongly(said, field=f"column {strange[0]}")


def check_receivers(purpose: str, receivers: Sequence[str], days: int) -> None:
    """Raise AskedWrongly for a purpose or receivers that no register knows, or a time that is none."""
    if not receivers or len(set(receivers)) != len(receivers):
        raise AskedWrongly("Name the parties that receive it, each once.", field="receivers")
    known = set(Party.objects.values_list("slug", flat=True))
    if unknown := sorted(set(receivers) - known):
        said = f"The register of parties has no “{unknown[0]}”. There are: {', '.join(sorted(known))}."
        raise AskedWrongly(said, field="receivers")
    if not Purpose.objects.filter(slug=purpose, is_active=True).exists():
        raise AskedWrongly(f"No purpose “{purpose}” is in use.", field="purpose")
    if not 1 <= days <= MOST_DAYS:
        raise AskedWrongly(f"A release is in force for 1 to {MOST_DAYS:,} days.", field="days")


@transaction.atomic
def ask(
    table: UploadedTable, asked: "Asked | NoisyAsked", *, actor: str, state: str = TableRelease.State.WAITING
) -> TableRelease:
    """Ask for a copy of a table; a worker makes it, unless the caller does (``state``). Raises AskedWrongly."""
    from privacy.tasks import make_release  # the task calls back into this package

    uploads.lock_alike(table)
    if table.removed_at is not None:
        raise AskedWrongly("The uploaded table was removed; upload it again.")
    asked.check(table)
    row = TableRelease.objects.create(
        table=table, asked=asdict(asked), author=str(actor)[:160], account=actors.account_of(actor), state=state
    )
    trail.record("release.asked", str(row.pk), actor=actor, details={"table": table.sha256, **asked.details})
    if state == TableRelease.State.WAITING:
        make_release.delay_on_commit(str(row.pk))
    return row
