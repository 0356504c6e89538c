"""A segment that became too small is off at the next request, in both engines; two officers let it serve again."""

from collections.abc import Callable
from typing import Any

import pytest

from audit.models import AuditEvent
from consent.models import DataSubject
from consent.pseudonyms import subject_ref
from model_registry import services
from model_registry.models import ModelVersion
from model_registry.segments import stopping
from oversight.changes import applying
from oversight.changes.documents import Proposed
from oversight.models import ChangeSet, WorkItem
from oversight.problems import ChangeRefused
from personalization import engine, windows
from personalization.monitors.work import STOPPED
from policies.models import ActiveBundle
from tests.helpers import models
from tests.helpers.registers import drafted, in_force, make_officer

pytestmark = pytest.mark.django_db
Ask = Callable[..., dict[str, Any]]
SMALL = engine.segment_key("DE", "adult")


@pytest.fixture
def person(api: Any, deployed: ModelVersion) -> None:
    """A person of the segment that becomes too small."""
    api.save("customer-1", "give")
    DataSubject.objects.update(region="DE", age_band="adult")


@pytest.fixture
def few_left(person: None, trained_model: Any) -> None:
    """Twenty people in every segment of the model, but for one."""
    for key in trained_model.segments:
        region, age = (part.partition("=")[2] for part in key.split("|"))
        DataSubject.objects.bulk_create(
            DataSubject(ref=subject_ref(f"{key}-{number}"), region=region, age_band=age)
            for number in range(3 if key == SMALL else 20)
        )


def _served(answer: dict[str, Any]) -> tuple[str, list[str]]:
    return answer["level"], [reason["code"] for reason in answer["reasons"]]


def test_a_segment_that_became_too_small_is_off_at_the_next_request(
    either_engine: None, few_left: None, ask: Ask
) -> None:
    before = ask(requested_level="segment")
    windows.check_segments()
    after = ask(requested_level="segment")

    assert _served(before) == ("segment", [])
    assert _served(after) == ("none", ["segment_too_small"])
    assert {item["basis"] for item in after["items"]} == {"popular"}


def test_nor_is_it_used_where_a_person_has_too_little_history(few_left: None, ask: Ask) -> None:
    before = ask(requested_level="individual")
    windows.check_segments()
    after = ask(requested_level="individual")

    assert {item["basis"] for item in before["items"]} == {"segment"}
    assert {item["basis"] for item in after["items"]} == {"popular"}


def test_other_segments_serve_on(few_left: None, ask: Ask, trained_model: Any) -> None:
    windows.check_segments()

    other = next(key for key in trained_model.segments if key != SMALL and key.endswith("adult"))
    DataSubject.objects.filter(ref=subject_ref("customer-1")).update(region=other[7:9])
    assert _served(ask(requested_level="segment")) == ("segment", [])


def test_it_is_a_protective_set_with_an_event_and_work_for_the_owner(few_left: None, deployed: ModelVersion) -> None:
    details = windows.check_segments()

    change_set = ChangeSet.objects.get(changes__register="stopped_segment")
    assert (change_set.kind, change_set.state, change_set.author_name) == ("protective", "in_force", "job:segments")
    event = AuditEvent.objects.get(action="model.segments_stopped")
    assert (event.object, event.details["segments"]) == (str(deployed), [SMALL])
    item = WorkItem.objects.get(kind=STOPPED.slug)
    assert (item.object, item.state) == (str(deployed.pk), "open")
    assert "region=DE|age=adult" in STOPPED.describe(item.object)
    assert details["stopped"] == 1
    assert WorkItem.objects.filter(object=str(change_set.pk), kind="changes-review").exists()


def test_a_second_night_changes_nothing(few_left: None) -> None:
    windows.check_segments()
    revision = ActiveBundle.objects.get().bundle_id

    windows.check_segments()

    assert ActiveBundle.objects.get().bundle_id == revision
    assert ChangeSet.objects.filter(changes__register="stopped_segment").count() == 1
    assert WorkItem.objects.filter(kind=STOPPED.slug).count() == 1


def test_two_officers_bring_it_back_and_the_work_is_done(few_left: None, deployed: ModelVersion, ask: Ask) -> None:
    windows.check_segments()
    anna, ben = make_officer("anna"), make_officer("ben")
    back = Proposed("stopped_segment", f"house-recommender/{deployed.version}/{SMALL}", None)

    with pytest.raises(ChangeRefused):
        applying.apply_protectively(drafted(anna, back), actor=anna, reason="at once")
    with pytest.raises(ChangeRefused):
        applying.apply_in_emergency(drafted(anna, back), actor=anna, reason="at once")
    assert _served(ask(requested_level="segment"))[0] == "none"

    in_force(anna, ben, back)
    assert _served(ask(requested_level="segment")) == ("segment", [])
    DataSubject.objects.bulk_create(
        DataSubject(ref=subject_ref(f"new-{number}"), region="DE", age_band="adult") for number in range(20)
    )
    windows.check_segments()
    assert WorkItem.objects.get(kind=STOPPED.slug).state == "done"


def test_a_segment_brought_back_too_small_is_stopped_again(few_left: None, deployed: ModelVersion) -> None:
    windows.check_segments()
    back = Proposed("stopped_segment", f"house-recommender/{deployed.version}/{SMALL}", None)
    in_force(make_officer("anna"), make_officer("ben"), back)

    windows.check_segments()

    assert stopping.stopped(deployed) == [SMALL]


def test_a_new_version_serves_the_segment_again(few_left: None, deployed: ModelVersion, ask: Ask) -> None:
    windows.check_segments()
    newer = services.register_version(
        model=deployed.model,
        purposes=list(deployed.purposes.all()),
        actor="test",
        artifact=deployed.artifact,
        artifact_sha256=deployed.artifact_sha256,
    )
    models.go_live(newer)

    assert _served(ask(requested_level="segment")) == ("segment", [])


def test_a_segment_is_stopped_of_a_version_that_exists(deployed: ModelVersion) -> None:
    anna = make_officer("anna")
    after = {
        "model": "house-recommender",
        "version": 9,
        "segment": SMALL,
        "reason": "None.",
        "stopped_on": "2026-11-01",
    }
    wrong = drafted(anna, Proposed("stopped_segment", f"house-recommender/9/{SMALL}", after))

    with pytest.raises(ChangeRefused, match="no version 9"):
        applying.apply_protectively(wrong, actor=anna, reason="")
