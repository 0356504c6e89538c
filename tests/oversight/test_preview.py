"""Preview of a change set: people, pages and rows, each figure with its method."""

import copy
import os
import time
from datetime import datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.utils import timezone

from common.actors import Officer
from common.postgres import advisory
from consent.ledger import people_counts
from consent.models import DataSubject, Purpose
from oversight import registers, rows, tasks
from oversight.admin import presenting
from oversight.changes import counting, drafting, files, preview
from oversight.changes.documents import Proposed
from oversight.models import ChangeSet
from personalization.models import Event, Item
from privacy.models import RetentionSchedule
from tests.helpers import volume
from tests.helpers.registers import drafted, purpose_with, widened
from tests.helpers.scale import scale

pytestmark = pytest.mark.django_db
WIDER = ["views", "purchases", "ratings", "postal_address"]


def figures(change_set: ChangeSet) -> dict[str, tuple[Any, Any]]:
    return {figure["key"]: (figure["before"], figure["after"]) for figure in change_set.preview}


@pytest.fixture
def people(api: Any, anna: Officer) -> None:
    """Two who said yes to recommendations, one to the broader purpose alone, one no."""
    for person, choice, purpose in (
        ("customer-1", "give", "recommendations"),
        ("customer-2", "give", "recommendations"),
        ("customer-3", "give", "personalization"),
        ("customer-4", "refuse", "recommendations"),
    ):
        assert api.save(person, choice, purpose).status_code < 300


def test_people_whose_yes_covers_only_a_part_are_counted(people: None, anna: Officer) -> None:
    found = figures(drafted(anna, *widened("recommendations", is_material=False, data_categories=WIDER)))

    assert found["people/recommendations/given"] == (2, 2)
    assert found["people/recommendations/given_partly"] == (0, 2)
    assert found["people/recommendations/asked_again"] == (0, 0)
    assert found["people/recommendations/inherited"] == (1, 1)
    assert found["people/recommendations/inherited_partly"][1] == 1


def test_people_whom_a_material_text_asks_again_are_counted(people: None, anna: Officer) -> None:
    found = figures(drafted(anna, *widened("recommendations", data_categories=WIDER)))

    assert found["people/recommendations/given"] == (2, 0)
    assert found["people/recommendations/asked_again"] == (0, 2)


def test_an_answer_that_ran_out_counts_nowhere(people: None, anna: Officer) -> None:
    person = DataSubject.objects.filter(consents__recommendations__s="given").first()
    assert person is not None
    consents = copy.deepcopy(person.consents)
    consents["recommendations"]["x"] = int((timezone.now() - timedelta(days=1)).timestamp())
    DataSubject.objects.filter(pk=person.pk).update(consents=consents)

    found = figures(drafted(anna, *widened("recommendations", data_categories=WIDER)))

    assert found["people/recommendations/given"] == (1, 0)
    assert found["people/recommendations/asked_again"] == (0, 1)


def test_the_card_of_peoples_pages_is_shown_before_and_after(anna: Officer) -> None:
    change_set = drafted(anna, *widened("recommendations", data_categories=WIDER))

    assert figures(change_set)["page/recommendations/data_categories"] == (
        "views, purchases, ratings",
        "views, purchases, ratings, postal address",
    )
    assert figures(change_set)["page/recommendations/notice"] == ("1", "2")
    shown = [figure["label"] for figure in presenting.figures(change_set)]
    assert "People read of “Recommendations”: data used" in shown
    assert "People read of “Recommendations”: name" not in shown, "texts that stay are left out"


def test_every_figure_names_its_method(people: None, anna: Officer) -> None:
    change_set = drafted(anna, *widened("recommendations", data_categories=WIDER))

    assert change_set.preview
    assert all(figure["method"] for figure in change_set.preview)


def shortened(days: int) -> Proposed:
    register = registers.find("retention_schedule")
    before = rows.find_document(register, "recommendations")
    after = {**(before or {}), "retain_for": timedelta(days=days) // timedelta(microseconds=1)}
    return Proposed("retention_schedule", "recommendations", after)


def old_event(api: Any) -> datetime:
    """An event of 40 days ago, and when it was received."""
    api.save("customer-1", "give")
    old = timezone.now() - timedelta(days=40)
    item, _ = Item.objects.get_or_create(slug="item", defaults={"title": "Item"})
    ref = DataSubject.objects.earliest("created_at").ref
    Event.objects.create(
        id=ref, subject_ref=ref, purpose="recommendations", kind="like", item=item, weight=1, occurred_at=old
    )
    Event.objects.update(received_at=old)
    return old


def test_a_shorter_retention_shows_rows_and_their_oldest(api: Any, anna: Officer) -> None:
    old = old_event(api)

    found = figures(drafted(anna, shortened(30)))

    assert found["due/recommendations/events"] == (0, 1)
    assert found["due/recommendations/events/oldest"] == ("", f"{old:%Y-%m-%d}")
    assert found["due/recommendations/events/sample"] == ("", f"{old:%Y-%m-%d}")


def test_a_longer_retention_needs_the_next_version(anna: Officer) -> None:
    change_set = drafted(anna, shortened(900))

    (finding,) = [found for found in change_set.findings if found["code"] == "notice_asks_everybody"]
    assert finding["is_error"]
    assert "Kept for 900 days" in finding["detail"]


# What it costs


def test_a_preview_scans_people_once(anna: Officer, sql: list[str]) -> None:
    one = purpose_with("recommendations", data_categories=["views"])
    more = [purpose_with(slug, order=9) for slug in ("newsletter", "personalization", "usage_statistics")]
    drafted(anna, one)
    sql.clear()

    drafted(anna, one, *more)

    assert sum("FROM consent_datasubject" in statement for statement in sql) == 1
    assert Purpose.objects.get(slug="recommendations").data_categories != ["views"]


def _plans(statements: Any) -> str:
    """Return the plans of statements as PostgreSQL explains them."""
    found = []
    for text, params in statements:
        with connection.cursor() as cursor:
            cursor.execute(f"EXPLAIN (COSTS OFF) {text}", params)
            found += [line for (line,) in cursor.fetchall()]
    return "\n".join(found)


@scale("people", small=4_000, long=1_000_000)
def test_a_preview_of_many_people_is_one_scan(
    anna: Officer, people: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Four purposes and a retention: each person is read once in all, by no more statements than slices."""
    volume.add_people(people, "personalization", "recommendations", "newsletter", "usage_statistics")
    item, _ = Item.objects.get_or_create(slug="item", defaults={"title": "Item"})
    volume.add_events(people, purpose="recommendations", item=item.pk)
    monkeypatch.setattr(people_counts, "_SMALLEST", 40)
    monkeypatch.setattr(counting, "AT_ONCE", 0)
    changed = [purpose_with(slug, order=9) for slug in ("newsletter", "personalization", "usage_statistics")]
    wider = widened("recommendations", is_material=False, data_categories=WIDER)
    shares: list[int] = []
    statements: list[tuple[str, Any]] = []

    def note(execute: Any, statement: str, params: Any, *rest: Any) -> Any:
        if "GROUPING" in statement or "FROM personalization_event" in statement:
            statements.append((statement, params))
        return execute(statement, params, *rest)

    begun = time.monotonic()
    with connection.execute_wrapper(note):
        change_set = drafting.draft([*wider, *changed, shortened(30)], title="Many", actor=anna)
        preview.check(change_set)
        change_set.refresh_from_db()
        counting.finish(change_set, progress=shares.append)
    took = time.monotonic() - begun
    if people >= 1_000_000:
        with capsys.disabled():
            print(f"\npreview over {people:,} people: {took:.2f} s, load {os.getloadavg()[0]:.1f}")

    found = figures(change_set)
    assert found["people/recommendations/given"] == (_given(people, 2), _given(people, 2))
    assert found["people/recommendations/given_partly"][1] == _given(people, 2)
    assert found["due/recommendations/events"][1] > people * 0.85
    assert shares == sorted(shares)
    assert shares[-1] == 100
    scans = [each for each in statements if "GROUPING" in each[0]]
    assert len(scans) == len(shares) <= 20
    plans = _plans(statements)
    assert plans.count("Tid Range Scan on consent_datasubject") == len(scans)
    assert "Seq Scan on consent_datasubject" not in plans
    assert "(SubPlan" not in plans, "nothing is looked up person by person"


def _given(people: int, place: int) -> int:
    """Return how many of ``volume.add_people`` said yes to the purpose at a place."""
    return sum((n + place) % 6 != 0 and (n // place) % 5 < 3 for n in range(1, people + 1))


# Counted by a job


@pytest.fixture
def counted_later(people: None, anna: Officer, monkeypatch: pytest.MonkeyPatch) -> ChangeSet:
    """A draft that widens a purpose, over so many people that a job has to count them."""
    monkeypatch.setattr(counting, "AT_ONCE", -1)
    return drafted(anna, *widened("recommendations", data_categories=WIDER))


def page_of(officer: Officer, change_set: ChangeSet) -> str:
    client = Client()
    client.force_login(User.objects.get(pk=officer.account))
    return " ".join(client.get(f"/admin/changes/{change_set.pk}/").content.decode().split())


def test_many_people_are_counted_by_a_job(counted_later: ChangeSet, anna: Officer) -> None:
    assert "people/recommendations/given" not in figures(counted_later)
    shown = page_of(anna, counted_later)
    assert "Everybody is being counted" in shown
    assert "Nothing is counted for this change" not in shown
    assert '<progress class="sim-progress" max="100" value="0"' in shown
    assert "Look again" in shown, "the page goes on without scripts"

    tasks.count_everybody(counted_later.pk)

    counted_later.refresh_from_db()
    assert counted_later.counting is None
    assert figures(counted_later)["people/recommendations/given"] == (2, 0)
    assert "Everybody is being counted" not in page_of(anna, counted_later)
    tasks.count_everybody(counted_later.pk)
    again = ChangeSet.objects.get(pk=counted_later.pk)
    assert again.preview == counted_later.preview, "a message that is delivered twice counts once"


def test_a_count_that_another_worker_makes_is_not_made_again(counted_later: ChangeSet) -> None:
    with advisory.held(counting._ONE_COUNT + counted_later.pk) as is_ours:
        tasks.count_everybody(counted_later.pk)

        assert is_ours
        assert ChangeSet.objects.get(pk=counted_later.pk).counting is not None
    tasks.count_everybody(counted_later.pk)
    assert ChangeSet.objects.get(pk=counted_later.pk).counting is None


def test_a_count_of_what_has_changed_since_is_dropped(counted_later: ChangeSet, anna: Officer) -> None:
    stale = ChangeSet.objects.get(pk=counted_later.pk)
    drafting.edit(counted_later, [purpose_with("newsletter", data_categories=["views"])], actor=anna)
    preview.check(counted_later)

    counting.finish(stale)

    current = ChangeSet.objects.get(pk=counted_later.pk)
    assert current.counting is not None
    assert not [key for key in figures(current) if key.startswith("people/")]


def test_a_lost_count_is_queued_again(counted_later: ChangeSet, monkeypatch: pytest.MonkeyPatch) -> None:
    queued: list[int] = []
    monkeypatch.setattr(tasks.count_everybody, "delay", queued.append)

    tasks.sweep_counts()
    assert queued == [counted_later.pk]

    ChangeSet.objects.filter(pk=counted_later.pk).update(state="withdrawn")
    tasks.sweep_counts()
    assert queued == [counted_later.pk], "what was given up is not counted"


def _replaced(file: Path, row: str, old: str, new: str) -> None:
    """Replace the first text after a row's own line."""
    text = file.read_text()
    at = text.index(row)
    file.write_text(text[:at] + text[at:].replace(old, new, 1))


def test_a_plan_of_files_prints_its_effect_and_progress(api: Any, people: None, tmp_path: Path) -> None:
    old_event(api)
    files.export(tmp_path)
    _replaced(tmp_path / "purpose.yaml", "slug: recommendations", "order: ", "order: 1")
    _replaced(tmp_path / "retention_schedule.yaml", "purpose: recommendations", "retain_for: 365", "retain_for: 30")
    out, progress = StringIO(), StringIO()

    with pytest.raises(CommandError) as ended:
        call_command("registers", "plan", str(tmp_path), stdout=out, stderr=progress)

    assert ended.value.returncode == 2
    assert "effect Entries of events under “recommendations” that go the next night, for good: 0 -> 1" in out.getvalue()
    assert "People counted: 100 %" in progress.getvalue()
    assert "People counted" not in out.getvalue()
    assert RetentionSchedule.objects.get(purpose__slug="recommendations").retain_for == timedelta(days=365)


def scheduled(slug: str, **members: Any) -> Proposed:
    document = {
        "slug": slug, "purpose": None, "data_set": "events", "trigger": "received", "action": "delete",
        "retain_for": timedelta(days=30) // timedelta(microseconds=1), "keep_last": None, "kinds": [],
        "jurisdiction": "", "ground": "", "undo_days": 0, "is_active": True,
    }  # fmt: skip
    return Proposed("retention_schedule", slug, {**document, **members})


def test_the_effect_of_a_schedule_is_about_its_own_data_set(anna: Officer) -> None:
    profiles = scheduled("profiles", data_set="profiles", trigger="withdrawal", action="anonymise")

    shown = figures(drafted(anna, profiles))

    assert {name.split("/")[2] for name in shown if name.startswith("due/profiles")} == {"profiles"}


def test_a_legal_minimum_has_no_effect_to_show(anna: Officer) -> None:
    minimum = scheduled("tax", purpose="order_fulfilment", action="keep", kinds=["purchase"], ground="a law")

    assert not [name for name in figures(drafted(anna, minimum)) if name.startswith("due/")]
