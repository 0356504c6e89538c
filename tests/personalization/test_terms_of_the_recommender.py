"""The recommender keeps to what a person agreed to: what it serves, keeps and learns from, in both engines.

The purpose used views and purchases when the first person agreed; ratings were added with the next notice.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest

from consent.models import Purpose
from consent.pseudonyms import subject_ref
from consent.register import register
from model_registry.models import ModelVersion
from personalization import engine as recommender
from personalization.models import Event
from personalization.recommender.interactions import digest_of
from personalization.training_data.permission import permitted
from policies import engines
from policies.engines.opa import OpaEngine
from tests.helpers import models
from tests.policies.conftest import opa_engine, opa_url  # noqa: F401 (fixtures)

pytestmark = pytest.mark.django_db
EARLIER, NEW = "earlier", "new"


@pytest.fixture(params=["embedded", "opa"], autouse=True)
def engine(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param == "opa":
        opa: OpaEngine = request.getfixturevalue("opa_engine")
        monkeypatch.setattr(engines, "for_revision", lambda *_: opa)


def _say(**fields: Any) -> None:
    purpose = Purpose.objects.get(slug="recommendations")
    for name, value in fields.items():
        setattr(purpose, name, value)
    register.save_purpose(purpose, actor="officer:test")
    for version in ModelVersion.objects.all():  # the assessment was of other data
        models.with_evidence(version)
    register.publish_notice(purpose=purpose, text="More.", actor="officer:test", is_material=False)


@dataclass
class People:
    """Two people with the same events: one thing viewed and one liked, which is a rating."""

    viewed: str
    liked: str


@pytest.fixture
def people(api: Any, deployed: Any, remember: Any, shop: Any) -> People:
    viewed, liked = (item.id for item in shop.items[:2])
    _say(data_categories=["views", "purchases"], max_level="behavioral")
    assert api.save(EARLIER, "give").status_code == 201
    _say(data_categories=["views", "purchases", "ratings"])
    assert api.save(NEW, "give").status_code == 201
    for person in (EARLIER, NEW):
        remember(person, [viewed], kind="view", weight=1.0)
        remember(person, [liked])
    return People(viewed, liked)


@pytest.fixture
def served(ask: Any, shop: Any, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], tuple[set[str], dict[str, Any]]]:
    """Ask for recommendations; return the items that the model was given of the person, and the answer."""
    given: list[set[str]] = []
    recommend = recommender.recommend
    names = {digest_of(item.id): item.id for item in shop.items}

    def noted(*args: Any, **members: Any) -> Any:
        history, session = members["history"], members["session"]
        given.append({*(names[digest] for digest in history.items.tolist()), *(touch.item for touch in session)})
        return recommend(*args, **members)

    monkeypatch.setattr(recommender, "recommend", noted)

    def asked(person: str) -> tuple[set[str], dict[str, Any]]:
        answer = ask(person, requested_level="behavioral")
        return given.pop(), answer

    return asked


def _reasons(answer: dict[str, Any]) -> list[tuple[str, str | None]]:
    return [(reason["code"], reason["detail"]) for reason in answer["reasons"]]


def test_what_is_served_rests_on_what_was_agreed(people: People, served: Any) -> None:
    used, answer = served(EARLIER)
    assert used == {people.viewed}
    assert (answer["permitted_level"], _reasons(answer)) == ("behavioral", [("renewal_required", "ratings")])

    used, answer = served(NEW)
    assert used == {people.viewed, people.liked}
    assert (answer["permitted_level"], _reasons(answer)) == ("behavioral", [])


def test_a_level_that_is_new_is_not_served(people: People, ask: Any, api: Any) -> None:
    _say(max_level="individual")
    assert api.save("newest", "give").status_code == 201

    levels = {person: ask(person)["permitted_level"] for person in (EARLIER, NEW, "newest")}

    assert levels == {EARLIER: "behavioral", NEW: "behavioral", "newest": "individual"}
    assert ("renewal_required", "level") in _reasons(ask(NEW))


def test_an_event_of_a_new_kind_is_not_kept(people: People, api: Any) -> None:
    def sent(person: str, kind: str) -> tuple[bool, list[tuple[str, str | None]]]:
        body = {
            "event_id": f"{person}-{kind}",
            "subject": {"id": person},
            "type": kind,
            "item": people.liked,
            "occurred_at": datetime.now(UTC).isoformat(),
        }
        answer = api.post("/api/v1/events", body).json()
        return answer["stored"], _reasons(answer)

    kept = Event.objects.count()

    assert sent(EARLIER, "like") == (False, [("renewal_required", "ratings")])
    assert sent(EARLIER, "view") == (True, [])
    assert sent(NEW, "like") == (True, [])
    assert Event.objects.count() == kept + 2


def test_a_model_learns_nothing_that_was_not_agreed(people: People) -> None:
    refs = [subject_ref(EARLIER), subject_ref(NEW)]

    assert permitted(refs, purpose="recommendations", caller="job:training") == [subject_ref(NEW)]
