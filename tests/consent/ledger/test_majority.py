"""Majority comes with the person's own midnight, and a guardian's yes neither outlives nor follows it.

Kind: a day turned into a moment by another clock than the person's, and a record that ended before it was made. Laws:
BGB 187(2) and 188; DPDP Act, section 2(f).
"""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from consent.models import ConsentRecord
from consent.register.jurisdictions import age_of_consent, clocks
from consent.register.jurisdictions.pack import packs
from tests.consent.conftest import Clock


@pytest.mark.parametrize(
    ("region", "expected"),
    [
        ("DE", "2027-02-28T23:00"),
        ("DE-BY", "2027-02-28T23:00"),
        ("IN", "2027-02-28T18:30"),
        ("GB", "2027-03-01T00:00"),
        ("US-CA", "2027-03-01T08:00"),
        ("US-AZ", "2027-03-01T07:00"),
        ("US", "2027-03-01T05:00"),  # the easternmost: the state is not known
        ("NZ", "2027-02-28T10:15"),  # the Chatham Islands
        ("XX", "2027-02-28T10:00"),  # the earliest midnight on earth
        ("", "2027-02-28T10:00"),
    ],
)
def test_a_day_begins_with_the_regions_midnight(region: str, expected: str) -> None:
    assert clocks.midnight(date(2027, 3, 1), region) == datetime.fromisoformat(expected).replace(tzinfo=UTC)


def test_summer_time_is_the_regions() -> None:
    assert clocks.midnight(date(2027, 7, 1), "DE").hour == 22


def test_every_region_of_a_law_has_a_clock() -> None:
    regions = {region for law in packs() for region in law.regions}

    assert regions
    for region in regions:
        assert clocks._zones(region) != (clocks._EARLIEST,), region


def _guarded(api: Any, adult_on: Any, choice: str = "give", region: str = "DE", age_band: str = "child") -> Any:
    body = {
        "subject": {"id": "kid-1", "region": region, "age_band": age_band},
        "choices": [{"purpose": "newsletter", "choice": choice}],
        "guardian": {"id": "par-1", "method": "video", "adult_on": adult_on},
    }
    return api.post("/api/v1/consents", body)


@pytest.mark.django_db
@pytest.mark.parametrize("adult_on", ["2020-01-01", "1900-01-01"])
def test_a_guardian_cannot_agree_for_an_adult(api: Any, adult_on: str) -> None:
    answer = _guarded(api, adult_on)

    assert (answer.status_code, answer.json()["code"]) == (400, "already_of_age")
    assert not ConsentRecord.objects.exists()


@pytest.mark.django_db
@pytest.mark.parametrize(("age_band", "status"), [("adult", 400), ("minor", 201), ("child", 201)])
def test_a_guardian_and_an_adult_contradict_each_other(api: Any, age_band: str, status: int) -> None:
    assert _guarded(api, "2031-05-17", age_band=age_band).status_code == status


@pytest.mark.django_db
@pytest.mark.parametrize("region", ["DE", "US-CA", "IN"])
def test_who_comes_of_age_today_agrees_alone(api: Any, clock: Clock, region: str) -> None:
    clock.now = clocks.midnight(date(2027, 3, 1), region) + timedelta(hours=12)

    assert _guarded(api, "2027-03-01", region=region).json()["code"] == "already_of_age"
    assert _guarded(api, "2027-03-02", region=region).status_code == 201


@pytest.mark.django_db
@pytest.mark.parametrize("guardian", [{"id": "par-1", "method": "video"}, {"id": "par-1", "adult_on": "2031-05-17"}])
def test_a_guardian_without_all_that_proves_it_is_refused(api: Any, guardian: dict[str, str]) -> None:
    body = {"subject": {"id": "kid-1", "region": "DE", "age_band": "child"}, "guardian": guardian}

    assert (
        api.post("/api/v1/consents", {**body, "choices": [{"purpose": "newsletter", "choice": "give"}]}).status_code
        == 400
    )
    assert not ConsentRecord.objects.exists()


# GDPR, Article 8(1), as countries have set it; where no law of a pack applies, the strictest: 18.
@pytest.mark.parametrize(
    ("region", "age"),
    [("AT", 14), ("ES", 14), ("FR", 15), ("DE", 16), ("SE", 13), ("GB", 13), ("IN", 18), ("KR", 18), ("", 18)],
)
def test_the_age_of_consent_is_the_countrys(region: str, age: int) -> None:
    assert age_of_consent(region) == age


@pytest.mark.django_db
def test_a_no_counts_though_the_guardian_named_a_past_day(api: Any) -> None:
    assert _guarded(api, "2020-01-01", "refuse").status_code == 201


@pytest.mark.django_db
@pytest.mark.parametrize("region", ["DE", "IN", "US-CA", "NZ"])
def test_a_guardians_yes_ends_at_the_regions_midnight(api: Any, region: str) -> None:
    day = datetime.now(UTC).date() + timedelta(days=90)

    assert _guarded(api, day.isoformat(), region=region).status_code == 201

    assert ConsentRecord.objects.get().expires_at == clocks.midnight(day, region)


@pytest.mark.django_db
def test_the_last_second_before_majority_is_a_childs(api: Any, clock: Clock) -> None:
    clock.now = clocks.midnight(date(2027, 3, 1), "DE") - timedelta(seconds=1)
    assert _guarded(api, "2027-03-01").status_code == 201

    clock.pass_by(seconds=1)
    assert _guarded(api, "2027-03-01").json()["code"] == "already_of_age"


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("adult_on", "status"), [("2027-02-29", 400), ("2028-02-29", 201), (20280229, 400), (None, 400)]
)
def test_a_day_of_majority_is_a_day_of_the_calendar(api: Any, adult_on: Any, status: int) -> None:
    # A leap day is the caller's to state: where the law moves it to 1 March (BGB 188(3)), the caller names 1 March.
    assert _guarded(api, adult_on).status_code == status
