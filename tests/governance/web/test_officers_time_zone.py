"""Moments in the administration stand in the officer's own time zone."""

from datetime import UTC, datetime

import pytest
from django.test import Client
from django.utils import timezone

from audit.models import AuditEvent
from governance.web.time_zones import COOKIE
from tests.helpers.past_events import event_at

pytestmark = pytest.mark.django_db
LIST = "/admin/audit/auditevent/"
# Tuesday morning in Tokyo, Monday evening in New York.
AT = datetime(2026, 11, 24, 1, 30, tzinfo=UTC)


@pytest.fixture
def event(register_in_force: None) -> AuditEvent:
    event_at("party.changed", "party zone", "officer:zoe", AT)
    return AuditEvent.objects.get(object="party zone")


def shown(officer: Client, **chosen: str) -> list[str]:
    page = officer.get(LIST, {"actor": "officer:zoe", **chosen})
    assert page.status_code == 200
    return [f"{group['exact']:%a %H:%M}" for group in page.context["groups"]]


def test_without_a_zone_it_is_utc(officer: Client, event: AuditEvent) -> None:
    assert shown(officer) == ["Tue 01:30"]
    assert shown(officer, start="2026-11-24", end="2026-11-24") == ["Tue 01:30"]


def test_the_browsers_zone_counts(officer: Client, event: AuditEvent) -> None:
    officer.cookies[COOKIE] = "America/New_York"

    assert shown(officer) == ["Mon 20:30"]
    assert shown(officer, start="2026-11-24", end="2026-11-24") == []
    assert shown(officer, start="2026-11-23", end="2026-11-23") == ["Mon 20:30"]
    detail = officer.get(f"{LIST}{event.position}/change/").content.decode()
    assert "23 November 2026, 20:30:00 EST" in detail


def test_a_chosen_zone_is_kept(officer: Client, event: AuditEvent) -> None:
    officer.cookies[COOKIE] = "America/New_York"

    assert shown(officer, zone="Asia/Tokyo") == ["Tue 10:30"]
    assert shown(officer) == ["Tue 10:30"]


def test_a_link_means_the_same_day_to_a_colleague(officer: Client, event: AuditEvent) -> None:
    officer.cookies[COOKIE] = "America/New_York"
    link = officer.get(LIST, {"actor": "officer:zoe"}).context["groups"][0]["day"]

    officer.cookies[COOKIE] = "Asia/Tokyo"
    page = officer.get(f"{LIST}?{link}")

    assert "zone=America%2FNew_York" in link
    assert [group["about"] for group in page.context["groups"]]
    assert page.context["chosen"].start == "2026-11-23"


@pytest.mark.parametrize("name", ["Mars/Base", "../../etc/passwd", "a" * 300, "\x00"])
def test_a_zone_that_is_none_counts_as_none(officer: Client, event: AuditEvent, name: str) -> None:
    officer.cookies[COOKIE] = name
    assert shown(officer) == ["Tue 01:30"]
    assert officer.get(LIST, {"zone": name}).status_code == 400


def test_the_zone_ends_with_the_request(officer: Client, event: AuditEvent) -> None:
    shown(officer, zone="Asia/Tokyo")

    assert timezone.get_current_timezone_name() == "UTC"


def test_last_tuesday_is_a_link_away(officer: Client, event: AuditEvent) -> None:
    page = officer.get(LIST, {"zone": "Europe/Berlin"})

    days = page.context["days"]
    assert len(days) == 8
    assert {name.split()[0] for name, _query, _chosen in days} >= {"Mon", "Tue", "Sun"}
    chosen = officer.get(f"{LIST}?{days[3][1]}")
    assert [is_chosen for _name, _query, is_chosen in chosen.context["days"]].index(True) == 3
    assert 'aria-current="date"' in chosen.content.decode()


def test_a_days_export_states_its_zone(officer: Client, event: AuditEvent) -> None:
    url = "/admin/audit/auditevent/export.csv"
    found = officer.get(url, {"start": "2026-11-24", "end": "2026-11-24", "zone": "Asia/Tokyo"})

    assert b"party zone" in b"".join(found.streaming_content)
    begun = AuditEvent.objects.filter(action="audit_log.exported").latest("position")
    assert begun.details["filters"] == {"start": "2026-11-24", "end": "2026-11-24", "zone": "Asia/Tokyo"}
