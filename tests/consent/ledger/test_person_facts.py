"""Region and age band of a known person: a service makes them stricter, never laxer, and a conflict is named."""

import pytest

from audit.models import AuditEvent
from consent.models import DataSubject

pytestmark = pytest.mark.django_db
GUARDIAN = {"id": "parent-1", "method": "id_card", "adult_on": "2040-01-01"}


def _save(api, choice="give", **more):
    subject = {"id": "customer-1", **more.pop("subject", {})}
    body = {"subject": subject, "choices": [{"purpose": "recommendations", "choice": choice}], **more}
    answer = api.post("/api/v1/consents", body)
    assert answer.status_code == 201, answer.content
    return answer.json()


def _person():
    return DataSubject.objects.values_list("region", "age_band").get()


@pytest.mark.parametrize(
    ("stated", "stored", "warnings"),
    [
        ({"region": "US-TX"}, ("DE", "minor"), ["region_kept"]),
        ({"region": "US"}, ("DE", "minor"), ["region_kept"]),
        ({"region": "BR"}, ("DE", "minor"), ["region_kept"]),
        ({"region": "FR"}, ("FR", "minor"), []),
        ({"age_band": "adult"}, ("DE", "minor"), ["age_band_kept"]),
        ({"age_band": "unknown"}, ("DE", "minor"), ["age_band_kept"]),
        ({"region": "US", "age_band": "adult"}, ("DE", "minor"), ["age_band_kept", "region_kept"]),
        ({"age_band": "child"}, ("DE", "child"), []),
        ({"region": "DE", "age_band": "minor"}, ("DE", "minor"), []),
    ],
)
def test_a_second_service_makes_a_person_only_stricter(api, stated, stored, warnings):
    _save(api, "refuse", subject={"region": "DE", "age_band": "minor"})

    answer = _save(api, "refuse", subject=stated)

    assert (_person(), answer.get("warnings", [])) == (stored, warnings)


def test_a_stricter_region_is_taken(api):
    _save(api, "refuse", subject={"region": "US-TX", "age_band": "adult"})

    answer = _save(api, "refuse", subject={"region": "DE"})

    assert (_person(), "warnings" in answer) == (("DE", "adult"), False)


def test_a_guardian_may_correct_the_age_band(api):
    _save(api, "refuse", subject={"region": "DE", "age_band": "child"})

    answer = _save(api, "refuse", subject={"age_band": "minor"}, guardian=GUARDIAN)

    assert (_person(), "warnings" in answer) == (("DE", "minor"), False)


def test_a_change_is_recorded_with_its_source_and_the_value_before(api):
    _save(api, "refuse", subject={"region": "US-TX", "age_band": "adult"})
    _save(api, "refuse", subject={"region": "DE", "age_band": "minor"}, source="phone")
    _save(api, "refuse", subject={"region": "DE"})

    first, second, third = AuditEvent.objects.filter(action="consent.refused").order_by("position")

    assert first.details["before"] == {"region": "", "age_band": "unknown"}
    assert second.details["before"] == {"region": "US-TX", "age_band": "adult"}
    assert second.details["person"] == {"region": "DE", "age_band": "minor"}
    assert (second.details["source"], second.actor) == ("phone", "service:shop")
    assert "person" not in third.details


def test_a_repeated_save_names_the_conflict_again(api):
    _save(api, "refuse", subject={"region": "DE", "age_band": "minor"})
    body = {
        "subject": {"id": "customer-1", "age_band": "adult"},
        "choices": [{"purpose": "recommendations", "choice": "refuse"}],
    }
    first, second = (api.post("/api/v1/consents", body, **{"Idempotency-Key": "order-1"}) for _ in range(2))

    assert (first.status_code, second.status_code) == (201, 200)
    assert first.json() == second.json()
    assert first.json()["warnings"] == ["age_band_kept"]
