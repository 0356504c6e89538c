"""Decisions that a change set would flip: the last days of the log replayed over the registers as they would be.

The candidate is built while the preview's write stands, which is quick; a job replays the log over it afterwards, so no
publisher waits for that.
"""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from common.charts.counts import grouped
from consent.models import Purpose
from consent.register import words
from oversight.admin.panels import Panel, Table
from oversight.changes.preview import Later
from oversight.models import ChangeSet
from policies.bundles import reasons
from policies.decision_log.differences import Kind
from policies.models import ActiveBundle, Bundle, Decision, SimulationReport
from policies.simulation import service

WINDOW = timedelta(days=7)
_FRESH = timedelta(days=1)
State = SimulationReport.State
Revision = tuple[str, dict[str, str], str]


def replay_later() -> Later:
    """Read the candidate while it stands; the function returned stores it and requests the replay."""
    row = ActiveBundle.objects.values_list("bundle__revision", "bundle__policies", "bundle__data").first()

    def later(change_set: ChangeSet) -> None:
        if row is not None and not ActiveBundle.objects.filter(bundle=row[0]).exists():
            _request(change_set, row)

    return later


def _request(change_set: ChangeSet, candidate: Revision) -> None:
    """Request the replay, unless one of this draft over these registers is there or on its way."""
    revision, policies, data = candidate
    now = timezone.now()
    known = _reports(change_set, revision).filter(requested_at__gte=now - _FRESH).exclude(state=State.FAILED)
    if known.exists():
        return
    author = str(change_set.author_name)
    reason = f"candidate: change set {change_set.pk}"
    Bundle.objects.get_or_create(
        revision=revision, defaults={"policies": policies, "data": data, "reason": reason, "actor": author}
    )
    service.request_simulation(
        candidate=revision, since=now - WINDOW, until=now, author=author[:120], change_set_digest=change_set.digest
    )


def _reports(change_set: ChangeSet, revision: str) -> Any:
    return SimulationReport.objects.filter(candidate=revision, change_set_digest=change_set.digest)


def flips(change_set: ChangeSet) -> Panel | None:
    """Return the panel of decisions that would come out differently."""
    row = _reports(change_set, change_set.expected_revision).first() if change_set.expected_revision else None
    return _panel(row) if row is not None else None


def _panel(row: SimulationReport) -> Panel:
    finished = _finished(row) if row.document and row.state == State.DONE else None
    says, tables, share = finished or (_unfinished(row), [], _share(row))
    return Panel(
        key="decisions",
        title=_("Decisions"),
        says=says,
        method=_(
            "Replayed: the decision log of the last 7 days. Facts that registers determine are rebuilt over the"
            " registers as they would be; what rests on a person's own record stays as it was logged."
        ),
        share=share,
        tables=tables,
        url=reverse("simulation", args=[row.pk]),
        link=_("All of the replay"),
    )


def _unfinished(row: SimulationReport) -> str:
    if row.state == State.FAILED:
        return _("The replay did not come to an end: %(why)s Check the set again.") % {"why": row.error}
    if row.state == State.WAITING:
        return _("The replay waits for a worker.")
    return _("%(read)s of %(expected)s decisions replayed so far.") % {
        "read": grouped(row.decisions_read),
        "expected": grouped(row.decisions_expected or 0),
    }


def _share(row: SimulationReport) -> int | None:
    if row.state == State.FAILED:
        return None
    return min(99, 100 * row.decisions_read // row.decisions_expected) if row.decisions_expected else 0


def _finished(row: SimulationReport) -> tuple[str, list[Table], None]:
    found = (row.document or {})["in_force"]
    numbers = {"compared": grouped(found["compared"]), "different": grouped(found["different"])}
    if not found["compared"]:
        return _("There were no decisions to replay."), [], None
    says = _("Of %(compared)s decisions %(different)s would come out differently.") % numbers
    names = dict(Purpose.objects.values_list("slug", "name"))
    tables = [_by_direction(found), *_by_purpose(found, names), *_examples(found, names)] if found["different"] else []
    return says, tables, None


def directions() -> dict[str, str]:
    """Return the kinds of difference that are shown, in words."""
    return {
        Kind.PERMIT_TO_DENY.value: _("Permitted now, then not"),
        Kind.DENY_TO_PERMIT.value: _("Not permitted now, then permitted"),
        Kind.LEVEL_DOWN.value: _("Less personal"),
        Kind.LEVEL_UP.value: _("More personal"),
        Kind.OBLIGATIONS_ADDED.value: _("New conditions"),
        Kind.OBLIGATIONS_REMOVED.value: _("Conditions gone"),
    }


def _by_direction(found: Mapping[str, Any]) -> Table:
    rows = [(label, grouped(found["kinds"].get(kind, 0))) for kind, label in directions().items()]
    return Table(_("By direction"), (_("Direction"), _("Decisions")), rows)


def _by_purpose(found: Mapping[str, Any], names: Mapping[str, str]) -> Iterator[Table]:
    rows = sorted(found["by"]["purpose"].items(), key=lambda row: -row[1].get("different", 0))
    moved = [
        (names.get(slug, slug), *(grouped(row.get(kind, 0)) for kind in directions()))
        for slug, row in rows
        if row.get("different", 0)
    ]
    yield Table(_("By purpose"), (_("Purpose"), *directions().values()), moved)


def _examples(found: Mapping[str, Any], names: Mapping[str, str]) -> Iterator[Table]:
    rows = [
        (label, _asked(example["facts"], names), _answer(example["before"]), _answer(example["after"]))
        for kind, label in directions().items()
        for example in found["examples"].get(kind, [])[:3]
    ]
    yield Table(_("Examples"), (_("Direction"), _("Asked"), _("Now"), _("Then")), rows)


def _asked(facts: Mapping[str, Any], names: Mapping[str, str]) -> str:
    purpose = str(facts.get("purpose", ""))
    return f"{words.action(str(facts.get('action', '')))}: {names.get(purpose, purpose)}"


def _answer(answer: Mapping[str, Any]) -> str:
    outcome = str(Decision.Outcome(answer["outcome"]).label)
    return ", ".join([outcome, *(reasons.for_officer(code) for code in answer["reasons"])])
