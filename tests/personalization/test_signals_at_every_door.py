"""A GPP string that says "no consent for a known child" is followed wherever a signal may be sent.

Kind: a rule that is tested where it is written, but has to hold at each door that leads to it.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from personalization.models import Event

pytestmark = pytest.mark.django_db
NEITHER, ADULT_OPT_OUT = "DBABBg~BVoAAAAA", "DBABBg~BAYAAAAA"
CHILDREN = {
    "usca, under 16": "DBABBg~BVoAABQA",
    "usnat, 16 and 17 only": "DBABLA~CAAAAAAAAAQA",
    "usut, one field": "DBABFg~BVaAABAA",
}
OPTED_OUT = {"an adult's opt-out": ADULT_OPT_OUT, **CHILDREN}


def _question(gpp: str) -> dict[str, Any]:
    return {
        "subject": {"type": "data_subject", "id": "us-1"},
        "action": {
            "name": "personalize",
            "properties": {"purpose": "recommendations", "requested_level": "individual"},
        },
        "resource": {"type": "personalization", "id": "home", "properties": {"data_categories": ["views"]}},
        "context": {"signals": {"gpp": gpp}},
    }


def _authzen(api: Any, gpp: str) -> tuple[str, list[str]]:
    _status, answer, _headers = api.evaluate(_question(gpp))
    context = answer["context"]
    return context["level"], [reason["code"] for reason in context["reasons"]]


def _native(api: Any, gpp: str) -> tuple[str, list[str]]:
    answer = api.post("/api/v1/decisions", _question(gpp)).json()
    context = answer.get("context", answer)
    return context["level"], [reason["code"] for reason in context["reasons"]]


def _recommendations(api: Any, gpp: str) -> tuple[str, list[str]]:
    body = {"subject": {"id": "us-1"}, "count": 3, "signals": {"gpp": gpp}}
    answer = api.post("/api/v1/recommendations", body).json()
    return answer["permitted_level"], [reason["code"] for reason in answer["reasons"]]


DOORS: dict[str, Callable[[Any, str], tuple[str, list[str]]]] = {
    "AuthZEN": _authzen,
    "native": _native,
    "recommendations": _recommendations,
}


@pytest.fixture
def person(api: Any, deployed: Any) -> None:
    body = {
        "subject": {"id": "us-1", "region": "US-CA", "age_band": "adult"},
        "choices": [{"purpose": "recommendations", "choice": "give"}],
    }
    assert api.post("/api/v1/consents", body).status_code == 201


@pytest.mark.parametrize("door", DOORS.values(), ids=DOORS)
def test_a_string_without_an_opt_out_permits_at_every_door(api, person, door):
    level, codes = door(api, NEITHER)

    assert level == "individual"
    assert "level_capped_by_signal" not in codes


@pytest.mark.parametrize("gpp", OPTED_OUT.values(), ids=OPTED_OUT)
@pytest.mark.parametrize("door", DOORS.values(), ids=DOORS)
def test_no_consent_for_a_known_child_caps_at_every_door(api, person, door, gpp):
    level, codes = door(api, gpp)

    assert level != "individual"
    assert (level, codes) == door(api, ADULT_OPT_OUT), "as an adult's own opt-out"
    assert "level_capped_by_signal" in codes


@pytest.mark.parametrize("gpp", OPTED_OUT.values(), ids=OPTED_OUT)
def test_an_event_is_judged_by_the_same_signal(api, person, shop, gpp):
    def send(number: int, gpp: str) -> tuple[bool, list[str]]:
        answer = api.post(
            "/api/v1/events",
            {
                "event_id": f"door-{number}",
                "subject": {"id": "us-1"},
                "type": "like",
                "item": shop.items[0].id,
                "occurred_at": datetime.now(UTC).isoformat(),
                "signals": {"gpp": gpp},
            },
        ).json()
        return answer["stored"], [reason["code"] for reason in answer["reasons"]]

    without, capped = send(1, NEITHER), send(2, gpp)

    assert without[0] is True
    assert capped == send(3, ADULT_OPT_OUT), "as an adult's own opt-out"
    assert Event.objects.count() == 1 + 2 * capped[0]
