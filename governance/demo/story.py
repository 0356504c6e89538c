"""Story of one person, over the instance's own API: no consent, consent, an outage of trust, withdrawal, proof."""

import time
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from django.conf import settings
from django.utils import timezone

from audit import trail
from common.levels import LEVELS
from consent.ledger import verification
from consent.pseudonyms import subject_ref
from consent.register import words
from governance.demo import retention_story
from governance.demo.client import ServiceClient
from governance.demo.narrator import Narrator
from governance.demo.officers import seconding
from governance.demo.shop_rules import story as shop_rules_story
from model_registry import services
from model_registry.models import ModelVersion
from personalization.engine import MODEL_SLUG
from personalization.models import Event
from policies.decision_log import chain, drainer
from privacy.models import Disposal

_WAIT_S = 60
_OFFICER = "officer:demo"
_PERSONAL = ("behavioral", "contextual", "individual")
PLAYGROUND = "/admin/recommender-playground?example=adult"


@dataclass(frozen=True, kw_only=True)
class Person:
    """Person of the story: the business's id, the region, and what the person likes (item and title)."""

    business_id: str
    region: str
    likes: list[tuple[str, str]]
    sensitive: dict[str, str] = field(default_factory=dict)

    @property
    def ref(self) -> UUID:
        return subject_ref(self.business_id)

    def body(self) -> dict[str, Any]:
        return {"id": self.business_id}


def tell(person: Person, service: ServiceClient, narrator: Narrator) -> None:
    """Run every step; the narrator remembers which of them did not come out as they must."""
    _without_consent(person, service, narrator)
    _gives_consent(person, service, narrator)
    _is_recommended(person, service, narrator)
    _at_every_level(person, service, narrator)
    shop_rules_story.tell(person.body(), person.region, service, narrator)
    _service_asks(person, service, narrator)
    if person.sensitive:
        _sensitive_stays_out(person, service, narrator)
    _officer_suspends(person, service, narrator)
    _withdraws(person, service, narrator)
    _stored_profile_goes(person, service, narrator)
    retention_story.tell(narrator)
    _everything_verifies(narrator)


def _recommend(person: Person, service: ServiceClient) -> dict[str, Any]:
    return service.post("/api/v1/recommendations", {"subject": person.body(), "count": 5}).document


def _codes(document: dict[str, Any]) -> list[str]:
    return [reason["code"] for reason in document.get("context", document).get("reasons", [])]


def _without_consent(person: Person, service: ServiceClient, narrator: Narrator) -> None:
    narrator.step("A person nobody has asked yet opens the shop")
    narrator.asks("recommendations, as personal as allowed")
    answer = _recommend(person, service)
    narrator.answer(answer)
    narrator.must("served at level none, with what is popular", answer.get("level") == "none" and bool(answer["items"]))
    narrator.must("the reason says that consent is missing", "consent_missing" in _codes(answer))
    event = _send_like(person, service, 0)
    narrator.must("an event of this person is not stored", event.get("stored") is False)


def _send_like(person: Person, service: ServiceClient, number: int) -> dict[str, Any]:
    item, _title = person.likes[number]
    moment = timezone.now() - timedelta(minutes=30 - number)
    return service.post(
        "/api/v1/events",
        {
            "event_id": f"{person.ref.hex[:12]}-{number}",
            "subject": person.body(),
            "type": "like",
            "item": item,
            "occurred_at": moment.isoformat(),
        },
    ).document


def _choose(person: Person, service: ServiceClient, choice: str) -> dict[str, Any]:
    body = {
        "subject": {**person.body(), "region": person.region, "age_band": "adult"},
        "choices": [{"purpose": "recommendations", "choice": choice}],
        "source": "banner",
    }
    key = f"story-{choice}-{person.ref.hex}"
    return service.post("/api/v1/consents", body, Idempotency_Key=key).document


def _gives_consent(person: Person, service: ServiceClient, narrator: Narrator) -> None:
    narrator.step("The person allows recommendations, and looks around")
    narrator.asks("save: give consent to 'recommendations'")
    saved = _choose(person, service, "give")
    narrator.says("revision", saved.get("subject_revision"))
    narrator.must("the record is in the ledger", saved.get("records", [{}])[0].get("state") == "given")
    stored = [_send_like(person, service, number)["stored"] for number in range(len(person.likes))]
    narrator.says("likes", ", ".join(title for _item, title in person.likes[:4]) + " …")
    narrator.must(f"all {len(stored)} events are stored now", all(stored))


def _is_recommended(person: Person, service: ServiceClient, narrator: Narrator) -> None:
    narrator.step("The same request, one moment later")
    narrator.asks("recommendations, as personal as allowed")
    answer = _recommend(person, service)
    narrator.answer(answer)
    narrator.must("served at level individual", answer.get("level") == "individual")
    narrator.must(
        "every item says because of what", bool(answer["items"]) and all(item["because"] for item in answer["items"])
    )


def _at_every_level(person: Person, service: ServiceClient, narrator: Narrator) -> None:
    narrator.step("The same person at every level, side by side")
    looked_at = _recommend(person, service)["items"][-1]
    narrator.asks(f"recommendations at each level; in this visit the person looked at {looked_at['title']}")
    answers = {level: _recommend_at(person, service, level, looked_at["item"]) for level in LEVELS}
    narrator.side_by_side(
        {str(words.LEVELS[level]): [item["title"] for item in answer["items"]] for level, answer in answers.items()}
    )
    for level, answer in answers.items():
        why = next((item["why"] for item in answer["items"]), "nothing is left")
        narrator.says("", f"· {words.LEVELS[level]}: {why}")
    narrator.must("none is served above the level asked for", all(_is_within(*each) for each in answers.items()))
    narrator.must(
        "the personal levels are served, and say because of what",
        all(answers[level]["level"] == level and answers[level]["items"][0]["because"] for level in _PERSONAL),
    )
    narrator.says("officers", f"play made-up people the same way: {settings.PUBLIC_URL}{PLAYGROUND}")


def _recommend_at(person: Person, service: ServiceClient, level: str, looked_at: str) -> dict[str, Any]:
    body = {"subject": person.body(), "count": 5, "requested_level": level, "session": [looked_at]}
    return service.post("/api/v1/recommendations", body).document


def _is_within(level: str, answer: dict[str, Any]) -> bool:
    return LEVELS[answer["level"]] <= LEVELS[level]


def _ask(person: Person, service: ServiceClient, categories: list[str], region: str) -> dict[str, Any]:
    return service.post(
        "/access/v1/evaluation",
        {
            "subject": {"type": "data_subject", "id": person.business_id},
            "action": {
                "name": "personalize",
                "properties": {"purpose": "recommendations", "requested_level": "behavioral"},
            },
            "resource": {
                "type": "personalization",
                "id": "home-feed",
                "properties": {"data_categories": categories},
            },
            "context": {"processing_region": region},
        },
        X_Request_ID="story",
    ).document


def _service_asks(person: Person, service: ServiceClient, narrator: Narrator) -> None:
    narrator.step("Another service asks the decision API (AuthZEN)")
    narrator.asks("may I personalize for this person, processing in eu-central?")
    here = _ask(person, service, ["views", "ratings"], "eu-central")
    narrator.answer(here)
    narrator.must("permitted up to level behavioral, as asked", here["context"]["level"] == "behavioral")
    narrator.asks("the same, processing in a region no rule allows")
    elsewhere = _ask(person, service, ["views", "ratings"], "mars-north")
    narrator.answer(elsewhere)
    narrator.must("denied: data residency", elsewhere["decision"] is False and "residency" in _codes(elsewhere))


def _sensitive_stays_out(person: Person, service: ServiceClient, narrator: Narrator) -> None:
    narrator.step("A service asks for the person's religion and health as well")
    narrator.says("profile", f"holds {', '.join(sorted(person.sensitive))}")
    answer = _ask(person, service, ["ratings", "religion", "health"], "eu-central")
    narrator.answer(answer)
    obligations = {o["type"]: o["properties"] for o in answer["context"]["obligations"]}
    excluded = obligations.get("exclude_categories", {}).get("categories", [])
    narrator.says("obligation", f"exclude {', '.join(excluded)}")
    narrator.must("both are excluded for want of explicit consent", {"religion", "health"} <= set(excluded))
    narrator.must("nothing of it is in the model's files", not _found_in_model(person))


def _found_in_model(person: Person) -> list[str]:
    version = services.live_version(MODEL_SLUG)
    folder = Path(settings.MODEL_DIR) / (version.artifact if version else "")
    content = b"".join(path.read_bytes() for path in folder.iterdir() if path.is_file())
    return [name for name in ("religion", "smoker", "drink_level") if name.encode() in content]


def _officer_suspends(person: Person, service: ServiceClient, narrator: Narrator) -> None:
    narrator.step("A privacy officer suspends the model")
    version = ModelVersion.objects.get(model__slug=MODEL_SLUG, status="live")
    services.change_status(version_id=version.pk, status="suspended", actor=_OFFICER)
    narrator.says("officer", f"suspended {version}")
    answer = _recommend(person, service)
    narrator.answer(answer)
    narrator.must("the very next answer is level none", answer.get("level") == "none")
    narrator.must("and says why", "model_not_live" in _codes(answer))
    version.refresh_from_db()
    seconding.seconded(version, "live")
    narrator.says("officers", "made it live again: one proposed, another approved")
    back = _recommend(person, service)
    narrator.must("live again, the next answer is personal again", back.get("level") == "individual")


def _withdraws(person: Person, service: ServiceClient, narrator: Narrator) -> None:
    narrator.step("The person withdraws")
    narrator.asks("save: withdraw consent to 'recommendations'")
    narrator.says("stored", f"{Event.objects.filter(subject_ref=person.ref).count()} events of this person")
    saved = _choose(person, service, "withdraw")
    answer = _recommend(person, service)
    narrator.says("revision", saved.get("subject_revision"))
    narrator.answer(answer)
    narrator.must("the very next request is level none", answer.get("level") == "none")
    narrator.must("because of the withdrawal", "consent_withdrawn" in _codes(answer))


def _stored_profile_goes(person: Person, service: ServiceClient, narrator: Narrator) -> None:
    narrator.step("The deletion job runs")
    disposal = _wait_for_disposal(person)
    left = Event.objects.filter(subject_ref=person.ref).count()
    if disposal is None:
        narrator.must(f"the deletion is done within {_WAIT_S} seconds", False)
        return
    narrator.says("removed", ", ".join(f"{count} {name}" for name, count in disposal.removed.items()) or "nothing")
    narrator.says("manifest", f"sha256 {disposal.manifest_sha256[:32]}…")
    event = trail.events_about(person.ref, limit=1)
    narrator.says("evidence", f"audit event {event[0].position}: {event[0].action}" if event else "none")
    narrator.must("nothing of this person is stored any more", left == 0)
    narrator.must("and what went is on record", disposal.removed.get("events") == len(person.likes))


def _wait_for_disposal(person: Person) -> Disposal | None:
    for _ in range(_WAIT_S * 10):
        done = Disposal.objects.filter(subject_ref=person.ref, status="done").first()
        if done is not None:
            return done
        time.sleep(0.1)
    return None


def _everything_verifies(narrator: Narrator) -> None:
    narrator.step("Everything that happened can be verified")
    drainer.drain(Path(settings.SPOOL_DIR))
    trail.anchor()
    events, ledger, log = trail.verify(), verification.verify_ledger(), chain.verify()
    narrator.says("trail", f"{events.events} audit events under {events.anchors} chained anchors")
    narrator.says("ledger", f"{ledger.records} consent records of {ledger.subjects} people")
    narrator.says("log", f"{log.decisions} decisions in {log.batches} chained batches")
    narrator.must("the audit trail is intact", events.ok)
    narrator.must("the consent ledger is intact", ledger.ok)
    narrator.must("the decision log is intact", log.ok)
