"""What served on a day, from the audit trail."""

from datetime import UTC, date, datetime, timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from audit.models import AuditEvent
from model_registry import history, services
from model_registry.models import Model, ModelVersion

pytestmark = pytest.mark.django_db
DAY = date(2026, 5, 10)


def at(hour: int, *, day: int = 0) -> datetime:
    return datetime(2026, 5, 10, hour, tzinfo=UTC) + timedelta(days=day)


@pytest.fixture
def model(register_in_force: None) -> Model:
    entry = services.register_model("house", name="House", description="")
    for _ in range(2):
        services.register_version(model=entry, purposes=[], actor="job:training")
    return entry


def step(name: str, action: str, when: datetime, actor: str = "officer:anna") -> None:
    AuditEvent.objects.create(action=f"model.{action}", object=name, actor=actor, occurred_at=when)


def served(day: date) -> list[tuple[str, datetime, datetime | None]]:
    return [(each.version, each.begin, each.end) for each in history.on_day(Model.objects.get(), day)]


def test_a_day_has_every_version_that_served_in_it(model: Model) -> None:
    step("house@1", "live", at(8, day=-3))
    step("house@1", "approved", at(12))
    step("house@2", "live", at(12))
    step("house@2", "suspended", at(15))
    step("house@1", "live", at(16))

    assert served(DAY) == [
        ("house@1", at(8, day=-3), at(12)), ("house@2", at(12), at(15)), ("house@1", at(16), None),
    ]  # fmt: skip
    assert served(date(2026, 5, 9)) == [("house@1", at(8, day=-3), at(12))]
    assert served(date(2026, 5, 6)) == []
    assert served(date(2026, 6, 1)) == [("house@1", at(16), None)]


def test_what_ended_at_midnight_did_not_serve_on_that_day(model: Model) -> None:
    step("house@1", "live", at(8, day=-1))
    step("house@1", "sent_to_review", at(0))

    assert served(DAY) == []
    assert served(date(2026, 5, 9)) == [("house@1", at(8, day=-1), at(0))]


def test_other_steps_and_other_models_end_nothing(model: Model) -> None:
    step("house@1", "live", at(8))
    step("house@1", "document", at(9))
    step("house-two@1", "live", at(9))
    step("xhouse@1", "live", at(9))

    assert served(DAY) == [("house@1", at(8), None)]


def test_a_version_that_an_upgrade_made_live_is_named(model: Model) -> None:
    ModelVersion.objects.filter(version=1).update(status="live", status_changed_at=at(9))

    assert served(DAY) == [("house@1", at(9), None)]


def test_the_command_says_from_when_until_when_and_by_whom(model: Model) -> None:
    step("house@1", "live", at(8))
    step("house@1", "retired", at(9))
    out = StringIO()

    call_command("model", "served", "house", "2026-05-10", stdout=out)
    call_command("model", "served", "house", "2026-05-11", stdout=out)

    assert out.getvalue() == (
        "house@1: live 2026-05-10 08:00:00 to 2026-05-10 09:00:00 UTC, by officer:anna\n"
        "No version of house served on 2026-05-11.\n"
    )
    with pytest.raises(CommandError, match="There is no model"):
        call_command("model", "served", "nothing", "2026-05-10")
