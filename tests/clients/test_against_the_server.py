"""The client against the real application: what a service would do, in the order it would do it."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from django.db import transaction
from rest_framework.response import Response
from rest_framework.test import APIRequestFactory
from rest_framework.views import APIView

from assent_client import (
    Assent,
    AsyncAssent,
    Conflict,
    EventFault,
    EventTaken,
    Forbidden,
    InvalidRequest,
    Money,
    NotFound,
    NotPermitted,
    Question,
    Unauthenticated,
    UnfulfilledObligations,
    UnreadableAnswer,
    requires_decision,
)
from assent_client.django import DecisionPermission
from consent.models import Purpose, PurposeText
from oversight import guard
from personalization.models import Item, PopularItem
from policies.bundles import publishing as bundles
from policies.endpoints import credentials
from privacy.releases import publishing
from tests.helpers import mask_rules, price_rules
from tests.privacy.releases.conftest import ANN, BEN, PARTY, PURPOSE, asked, file, folder, made, officers

__all__ = ["asked", "file", "folder", "made", "officers"]

PERSON = {"id": "customer-1", "region": "DE", "age_band": "adult"}
GIVE = [{"purpose": "recommendations", "choice": "give"}]


def about(subject: str, **more: Any) -> Question:
    more = {"purpose": "recommendations", "level": "individual", "processing_region": "eu-central", **more}
    return Question(subject=subject, data_categories=["views"], **more)


def test_a_choice_is_saved_once_and_decided_upon(assent: Assent) -> None:
    saved = assent.save_consents(PERSON, GIVE, idempotency_key="order-17", source="banner")
    again = assent.save_consents(PERSON, GIVE, idempotency_key="order-17", source="banner")
    decision = assent.decide(about("customer-1", min_revision=saved.subject_revision))

    assert (saved.subject_revision, again.subject_revision) == (1, 1)
    assert (decision.permitted, decision.level, decision.outcome) == (True, "individual", "permit")
    assert decision.valid_until is not None
    assert decision.require(fulfils={"max_level"}) is decision
    with pytest.raises(UnfulfilledObligations):
        decision.require()
    assert assent.allowed(about("customer-1"), fulfils={"max_level"})
    assert not assent.allowed(about("customer-1"))


def test_warnings_of_a_decision_and_of_a_save_are_read(assent: Assent) -> None:
    refuse = [{"purpose": "recommendations", "choice": "refuse"}]
    first = assent.save_consents({**PERSON, "age_band": "minor"}, refuse)
    second = assent.save_consents({**PERSON, "region": "US"}, refuse)

    assert (first.warnings, second.warnings) == ((), ("age_band_kept", "region_kept"))
    conflicting, agreeing = assent.decide_many([about("customer-1", region="US"), about("customer-1", region="DE")])
    assert (conflicting.warnings, agreeing.warnings) == (("region_conflict",), ())
    assert assent.decide(about("customer-1", region="US")).warnings == ("region_conflict",)


def test_a_denial_says_why_and_what_would_change_it(assent: Assent) -> None:
    question = about("newcomer", region="DE", age_band="adult")

    decision = assent.decide(question, explain=True, would_change=True)

    assert decision.would_change
    assert decision.would_change[0].code == "grant_consent"
    assert decision.would_change[0].members["purpose"] == "recommendations"
    assert any(rule.title == "Permit" and not rule.fired for rule in decision.rules or ())
    with pytest.raises(NotPermitted) as refused:
        decision.require(fulfils={"max_level"})
    assert "consent_missing" in refused.value.reasons


def test_many_questions_are_answered_in_order(assent: Assent) -> None:
    assent.save_consents(PERSON, GIVE)

    decisions = assent.decide_many([about("customer-1"), about("stranger"), about("customer-1", purpose="unheard-of")])
    mixed = assent.decide_many([about("customer-1"), {"no": "question"}])
    thousand = assent.decide_many([about(f"customer-{number % 40}") for number in range(1_000)])

    assert [decision.permitted for decision in decisions] == [True, False, False]
    assert (mixed[1].permitted, mixed[1].error is not None) == (False, True)
    assert [decision.permitted for decision in thousand[:3]] == [False, True, False]
    for count in (0, 1_001):
        with pytest.raises(ValueError):
            assent.decide_many([about("customer-1")] * count)


def test_state_and_receipt(assent: Assent) -> None:
    saved = assent.save_consents(PERSON, GIVE)

    state = assent.consent_state("customer-1")
    receipt = assent.receipt("customer-1", subject_revision=saved.subject_revision)

    assert (state.known, state.subject_revision) == (True, 1)
    assert state.purposes["recommendations"].state == "given"
    assert receipt.jws.count(".") == 2
    assert assent.consent_state("stranger").known is False


def test_many_events_are_answered_each_in_its_place(assent: Assent) -> None:
    assent.save_consents(PERSON, GIVE)
    Item.objects.create(slug="kettle", title="Kettle", categories=["kitchen"])
    view = {"type": "view", "item": "kettle", "event_id": "e-1", "occurred_at": datetime.now(UTC)}

    good, again, stranger, bad = assent.send_events(
        [view, view, {**view, "event_id": "e-2", "subject": "stranger"}, {"type": "view", "item": "pan"}],
        subject="customer-1",
    )

    assert (good.stored, again.stored, stranger.stored, bad.stored) == (True, True, False, False)
    assert isinstance(again, EventTaken)
    assert again.duplicate is True
    assert isinstance(bad, EventFault)
    assert (bad.code, bad.is_temporary) == ("item_unknown", False)


def test_items_of_a_batch_are_answered_one_by_one(assent: Assent) -> None:
    made, gone, bad = assent.change_items(
        [{"id": "kettle", "title": "Kettle"}, {"id": "pan", "action": "remove"}, {"id": "pot"}]
    )

    assert (made.outcome, gone.outcome, bad.outcome, bad.code) == ("created", "absent", None, "title_missing")


def test_an_item_is_put_changed_read_and_removed(assent: Assent) -> None:
    made = assent.put_item("kettle", title="Kettle", price={"amount": "20", "currency": "EUR"})
    changed = assent.change_item("kettle", stock=0)

    assert (made.id, made.title, made.offered) == ("kettle", "Kettle", True)
    assert assent.item("kettle") == changed
    assert (changed.members["stock"], changed.members["price"]) == (0, {"amount": "20.00", "currency": "EUR"})
    assent.remove_item("kettle")
    for missing in ("kettle", "pan"):
        with pytest.raises(NotFound):
            assent.item(missing)
    with pytest.raises((InvalidRequest, NotFound)):
        assent.remove_item("../consents")


def test_prices_are_read_with_what_has_to_be_disclosed(assent: Assent) -> None:
    with guard.writing("test"):
        Purpose.objects.create(
            slug="personal_pricing", name="Prices", legal_basis="consent", actions=["price"],
            data_categories=["purchases"],
        )  # fmt: skip
    price_rules.rule("all", below=20)
    assent.save_consents(PERSON, [{"purpose": "personal_pricing", "choice": "give"}])
    assent.put_item("kettle", title="Kettle", price={"amount": "20", "currency": "EUR"})
    wanted = {"kettle": Decimal("12.50"), "pan": "3"}

    prices, others = assent.prices("customer-1", wanted), assent.prices("stranger", wanted)

    kettle, pan = prices.items
    assert (kettle.price, kettle.list_price) == (Money(Decimal("16.00"), "EUR"), Money(Decimal("20.00"), "EUR"))
    assert (prices.personalized, kettle.personalized, pan.price) == (True, True, None)
    assert "automated" in (kettle.disclosure or "")
    assert (others.items[0].price, others.items[0].disclosure) == (kettle.list_price, None)
    assert others.reasons


def test_the_general_list_is_read_and_a_masked_title_is_empty(assent: Assent) -> None:
    Item.objects.create(slug="kettle", title="Kettle")
    PopularItem.objects.create(rank=1, item_id="kettle", people=3)

    [kettle] = assent.general(count=5).items
    mask_rules.rule("titles", "title")
    [masked] = assent.general(item="pan").items

    assert (kettle.item, kettle.title, masked.item, masked.title) == ("kettle", "Kettle", "kettle", "")
    assert assent.general(item="pan").also_bought == "pan"


def test_a_party_fetches_what_was_released_to_it(assent: Assent, base_url: str, made: Any) -> None:
    published = publishing.approve(proposed := publishing.propose(made(), actor=ANN), actor=BEN, seen=proposed.digest)
    token = credentials.create_credential(name=PARTY, scopes=["releases"], actor="test")[0]

    with Assent(base_url, token, timeout_s=30) as party:
        [release] = party.releases().entries
        assert (release.release, release.k, release.purpose) == (str(published.pk), 10, PURPOSE)
        assert party.release_file(release).startswith(b"age,city,illness,visits")
        assert party.release_manifest(release) == published.manifest
        with pytest.raises(UnreadableAnswer):
            party.release_file(replace(release, sha256="0" * 64))
        with pytest.raises(NotFound):
            party.release_file(replace(release, release=str(uuid4())))


def test_an_event_is_taken_once_and_recommendations_come(assent: Assent) -> None:
    assent.save_consents(PERSON, GIVE)
    Item.objects.create(slug="kettle", title="Kettle", categories=["kitchen"])
    send = {"kind": "like", "item": "kettle", "event_id": "e-1", "occurred_at": datetime.now(UTC)}

    first, again = assent.send_event("customer-1", **send), assent.send_event("customer-1", **send)
    page = assent.recommend("customer-1", count=3)

    assert (first.stored, first.duplicate, again.duplicate) == (True, False, True)
    assert assent.send_event("stranger", kind="like", item="kettle").stored is False
    assert page.level in {"none", "segment", "behavioral", "contextual", "individual"}
    assert assent.recommend_for_visit(["kettle"], purpose="recommendations").level == "none"


ASKER = {"id": "customer-1", "region": "DE"}


def test_a_request_is_opened_once_answered_and_downloaded(assent: Assent) -> None:
    first = assent.open_request(ASKER, "access", idempotency_key="r-1")
    again = assent.open_request(ASKER, "access", idempotency_key="r-1")

    assert (first.state, first.law, again.id) == ("done", "gdpr", first.id)
    assert [each.id for each in assent.requests_of(ASKER)] == [first.id]
    assert assent.request(ASKER, first.id).right == "access"
    assert "/privacy/files/" in assent.download_request(ASKER, first.id).url
    with pytest.raises(NotFound):
        assent.request("stranger", first.id)


def test_an_agents_request_waits_and_ends_with_its_mandate(assent: Assent) -> None:
    asked = assent.open_request(ASKER, "erasure", acting="agent", mandate_until="2099-01-01")
    own = assent.open_request(ASKER, "complaint")

    assert asked.state == "received"
    assert assent.end_mandate(ASKER, asked.id).state == "cancelled"
    assert assent.cancel_request(ASKER, own.id).state == "cancelled"


def test_searches(assent: Assent) -> None:
    with transaction.atomic():
        bundles.publish("certification", "test", certification=True)
    alice, record = {"type": "user", "id": "alice"}, {"type": "record", "id": "record-1"}

    page = assent.search_subjects("user", "read", record, limit=1)
    rest = assent.search_subjects("user", "read", record, token=page.next_token)

    assert [found["id"] for found in (*page.results, *rest.results)] == ["alice", "bob"]
    assert rest.next_token == ""
    assert {found["id"] for found in assent.search_resources(alice, "read", "record").results} >= {"record-1"}
    assert {found["name"] for found in assent.search_actions(alice, record).results} >= {"read", "write"}


def test_refusals_are_exceptions_of_their_own(assent: Assent, base_url: str) -> None:
    narrow, _ = credentials.create_credential(name="narrow", scopes=["events"], actor="test")
    with Assent(base_url, narrow) as stranger, pytest.raises(Forbidden):
        stranger.decide(about("customer-1"))
    with Assent(base_url, "nonsense") as nobody:
        with pytest.raises(Unauthenticated) as refused:
            nobody.decide(about("customer-1"))
        assert not nobody.allowed(about("customer-1"), fulfils={"max_level"})
    assert (refused.value.status, refused.value.code) == (401, "unauthenticated")
    with pytest.raises(InvalidRequest):
        assent.decide({"no": "question"})
    assent.save_consents(PERSON, GIVE)
    stale = [{**GIVE[0], "supersedes": "00000000-0000-7000-8000-000000000000"}]
    with pytest.raises(Conflict):
        assent.save_consents(PERSON, stale)


def test_the_same_can_be_awaited(base_url: str, token: str) -> None:
    async def use() -> tuple[Any, ...]:
        async with AsyncAssent(base_url, token, timeout_s=30) as assent:

            @requires_decision(assent, about, fulfils={"max_level"})
            async def serve(person: str) -> str:
                return person

            saved = await assent.save_consents(PERSON, GIVE)
            many = await assent.decide_many([about("customer-1"), about("stranger")])
            refused = await asyncio.gather(serve("stranger"), return_exceptions=True)
            await assent.put_item("kettle", title="Kettle")
            changed = await assent.change_item("kettle", stock=1)
            assert await assent.item("kettle") == changed
            await assent.remove_item("kettle")
            assert (await assent.prices("customer-1", {"kettle": "1"})).items[0].price is None
            assert (await assent.general()).items == ()
            return saved.subject_revision, [d.permitted for d in many], await serve("customer-1"), refused[0]

    revision, permitted, served, refused = asyncio.run(use())

    assert (revision, permitted, served) == (1, [True, False], "customer-1")
    assert isinstance(refused, NotPermitted)


def test_a_function_runs_only_where_it_is_permitted(assent: Assent) -> None:
    assent.save_consents(PERSON, GIVE)
    served = []

    @requires_decision(assent, about, fulfils={"max_level"})
    def serve(person: str) -> None:
        served.append(person)

    serve("customer-1")
    with pytest.raises(NotPermitted):
        serve("stranger")

    assert served == ["customer-1"]


def test_a_view_is_open_only_where_it_is_permitted(assent: Assent) -> None:
    assent.save_consents(PERSON, GIVE)
    asking = DecisionPermission.asking(
        assent, lambda request, _view: about(request.GET["person"]), fulfils={"max_level"}
    )

    class Feed(APIView):
        authentication_classes = ()
        permission_classes = (asking,)

        def get(self, request: Any) -> Response:
            return Response({})

    def status(person: str) -> int:
        return int(Feed.as_view()(APIRequestFactory().get("/", {"person": person})).status_code)

    assert (status("customer-1"), status("stranger")) == (200, 403)


def test_the_registers_are_read_in_pages(assent: Assent) -> None:
    purpose = Purpose.objects.get(slug="newsletter")
    PurposeText.objects.create(purpose=purpose, locale="it", name="Notizie", benefit="Novità")
    first = assent.purposes(limit=2)
    rest = assent.purposes(token=first.next_token)
    newsletter = next(purpose for purpose in (*first.entries, *rest.entries) if purpose.slug == "newsletter")

    assert (len(first.entries), rest.next_token) == (2, "")
    assert len({purpose.slug for purpose in (*first.entries, *rest.entries)}) == 5
    assert (newsletter.name("it"), newsletter.name("xx")) == ("Notizie", purpose.name)
    assert (newsletter.legal_basis, newsletter.notice_version, newsletter.levels[0]) == ("consent", 1, "none")
    assert newsletter.members["explicit_consent"] is False
    laws = assent.jurisdictions().entries
    assert any("DE" in law.regions and law.consent_default == "opt_in" for law in laws)
    assert [level.names["en"] for level in assent.levels()][0::4] == ["General", "Personal"]


def test_the_registers_are_read_with_await(base_url: str, token: str) -> None:
    async def read() -> tuple[int, int, int]:
        async with AsyncAssent(base_url, token, timeout_s=30) as client:
            purposes, laws = await client.purposes(), await client.jurisdictions(limit=1)
            return len(purposes.entries), len(laws.entries), len(await client.levels())

    assert asyncio.run(read()) == (5, 1, 5)


def test_the_registers_need_their_scope(base_url: str, transactional_db: None) -> None:
    token = credentials.create_credential(name="asks", scopes=["decisions"], actor="test")[0]

    with Assent(base_url, token, timeout_s=30) as client, pytest.raises(Forbidden):
        client.purposes()
    with Assent(base_url, token, timeout_s=30) as client, pytest.raises(Forbidden):
        client.levels()
