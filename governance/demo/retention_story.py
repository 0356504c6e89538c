"""Story of one retention schedule: a dry run, a legal hold, a signed plan approved by another officer, the manifest."""

import time
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from django.utils import timezone

from audit.models import AuditEvent
from common.actors import Officer
from common.canonical import sha256
from consent.pseudonyms import subject_ref
from governance.demo.narrator import Narrator
from governance.demo.officers import accounts
from oversight.changes import applying, approval, drafting, preview
from oversight.changes.documents import Proposed
from oversight.models import ChangeSet
from oversight.problems import SecondOfficerNeeded
from personalization.models import Event, Item
from privacy.models import Disposal, RetentionSchedule
from privacy.retention import disposal, manifest, plans, schedules

_PURPOSE = "usage_statistics"
_AGE = timedelta(days=120)  # the demonstration keeps usage statistics for 90 days
_EACH = 3
_WAIT_S = 120


def tell(narrator: Narrator) -> None:
    """Take a schedule from its dry run to its manifest. What it deletes it has stored itself."""
    people = [subject_ref(f"retention-{uuid4().hex[:12]}") for _ in range(3)]
    author, approver = accounts.author(), accounts.approver()
    schedule = RetentionSchedule.objects.select_related("purpose").get(slug=_PURPOSE)
    due = schedules.due_of(schedule, timezone.now()).total  # of a demonstration before, whose night has not come
    keys = _store(people)
    _dry_run(schedule, due, keys, narrator)
    hold = _hold(people[0], author, narrator)
    plan = _plan(schedule, due + 2 * _EACH, author, narrator)
    run = _approve(plan, author, approver, narrator)
    _ends(run, plan, people[0], keys, narrator)
    _release(hold, author, approver)


def _store(people: list[UUID]) -> list[UUID]:
    """Store old events of people, as an import of older data would; return their keys."""
    item, received = Item.objects.order_by("slug")[0], timezone.now() - _AGE
    stored = Event.objects.bulk_create(
        Event(
            id=uuid4(), subject_ref=ref, purpose=_PURPOSE, kind="view", item=item, weight=1.0,
            occurred_at=received, received_at=received,
        )
        for ref in people
        for _ in range(_EACH)
    )  # fmt: skip
    return [event.pk for event in stored]


def _dry_run(schedule: RetentionSchedule, before: int, keys: list[UUID], narrator: Narrator) -> None:
    narrator.step("A retention schedule: what would it delete?")
    found = schedules.due_of(schedule, timezone.now())
    narrator.says("schedule", f"{schedule.slug}: kept {schedule.retain_for.days if schedule.retain_for else 0} days")
    narrator.says("dry run", ", ".join(f"{count} {name}" for name, count in found.counts.items()))
    narrator.must(f"the {len(keys)} old events are due", found.total == before + len(keys))
    narrator.must("and a dry run deletes nothing", Event.objects.filter(pk__in=keys).count() == len(keys))


def _hold(ref: UUID, author: Officer, narrator: Narrator) -> Proposed:
    narrator.step("A legal hold is placed on one of the people")
    slug = f"demo-{uuid4().hex[:8]}"
    document: dict[str, Any] = {
        "slug": slug, "matter": "A claim of the demonstration", "reason": "Counsel asked for it", "people": [str(ref)],
        "purposes": [], "regions": [], "age_bands": [], "chose_about": [], "data_sets": [],
        "starts_at": timezone.now().isoformat(), "ends_at": None, "is_released": False,
    }  # fmt: skip
    placed = Proposed("hold", slug, document)
    applied = applying.apply_protectively(_draft(author, placed), actor=author, reason="A claim came in")
    narrator.says("officer", f"placed {slug}; another officer looks at it afterwards")
    narrator.must("it is in force at once", applied.state == ChangeSet.State.IN_FORCE)
    return placed


def _draft(author: Officer, proposed: Proposed) -> ChangeSet:
    return preview.check(drafting.draft([proposed], title=f"Hold {proposed.key}", actor=author))


def _plan(schedule: RetentionSchedule, due: int, author: Officer, narrator: Narrator) -> Any:
    narrator.step("An officer makes a deletion plan")
    plan = plans.make(schedule, actor=author)
    found = plan.document["data_sets"]["events"]
    narrator.says("plan", f"{found['due']} of {found['stored']} events go, {found['held']} stay under the hold")
    narrator.says("signed", f"sha256 {plan.digest[:32]}…")
    narrator.must("it counts what the hold keeps apart", found["due"] == due and found["held"] >= _EACH)
    return plan


def _approve(plan: Any, author: Officer, approver: Officer, narrator: Narrator) -> Disposal:
    narrator.step("Another officer approves the plan as it is")
    narrator.must("its author cannot", _is_refused(plan, author))
    approved = plans.approve(plan, actor=approver, seen=plan.digest)
    narrator.says("officer", f"{approver.partition(':')[2]} approved it")
    run = disposal.queue_plan(approved)
    narrator.must("its run is queued", run.plan_id == plan.pk)
    return run


def _is_refused(plan: Any, author: Officer) -> bool:
    try:
        plans.approve(plan, actor=author, seen=plan.digest)
    except SecondOfficerNeeded:
        return True
    return False


def _ends(run: Disposal, plan: Any, held: UUID, keys: list[UUID], narrator: Narrator) -> None:
    narrator.step("The run deletes what the plan says, and proves it")
    done = _wait(run)
    left = Event.objects.filter(pk__in=keys)
    narrator.says("removed", ", ".join(f"{count} {name}" for name, count in done.removed.items()) or "nothing")
    narrator.says("manifest", f"sha256 {done.manifest_sha256[:32]}…")
    narrator.must("what the plan says is gone, and no more", done.removed == {"events": plan.due})
    narrator.must("what the hold keeps is there", {event.subject_ref for event in left} == {held})
    event = AuditEvent.objects.filter(action="disposal.done", details__disposal=str(run.pk)).first()
    is_proved = sha256(manifest.manifest(done)).hex() == done.manifest_sha256
    in_trail = event is not None and event.details["manifest_sha256"] == done.manifest_sha256
    narrator.must("the manifest, built again, is the one of the audit trail", is_proved and in_trail)


def _wait(run: Disposal) -> Disposal:
    for _ in range(_WAIT_S * 10):
        found = Disposal.objects.select_related("purpose", "plan").get(pk=run.pk)
        if found.status not in Disposal.OPEN:
            return found
        time.sleep(0.1)
    return run


def _release(hold: Proposed, author: Officer, approver: Officer) -> None:
    """Release the hold by two officers: its data goes the next night."""
    released = Proposed(hold.register, hold.key, {**(hold.after or {}), "is_released": True})
    change_set = _draft(author, released)
    drafting.propose(change_set, actor=author, reason="The claim is settled")
    change_set.refresh_from_db()
    approval.approve(change_set, actor=approver, seen=change_set.digest)
