"""docs/model-release.md, word by word: two officers in browsers take a trained draft to live, and out again."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.utils import timezone

from consent.ledger import ledger
from consent.pseudonyms import subject_ref
from model_registry.models import ModelVersion
from personalization import training
from personalization.models import Event, Item
from policies import engines
from policies.engines.opa import OpaEngine
from tests.acceptance.officers.forms import Guide, press
from tests.helpers import models
from tests.helpers.browser import needs_chromium
from tests.helpers.officers import with_role
from tests.helpers.wsgi_calls import call, question
from tests.policies.conftest import opa_engine, opa_url  # noqa: F401 (fixtures)

pytestmark = [
    pytest.mark.acceptance,
    pytest.mark.django_db(transaction=True),
    needs_chromium,
]


CARD = {
    "licenses/1/id": "AGPL-3.0-only",
    "architecture/name": "Item to item",
    "architecture/task": "recommendation",
    "architecture/inputs": "Items a person chose\nItems of this visit",
    "architecture/outputs": "Ten items, each with its reason",
    "considerations/users": "Customers who allow it",
    "considerations/use_cases": "Suggestions on the home page",
    "considerations/forbidden_uses": "Prices",
    "considerations/limitations": "Learns little from people with few events",
    "considerations/tradeoffs": "Fast answers, at the cost of surprise",
    "considerations/ethical/1/name": "Narrow lists",
    "considerations/ethical/1/mitigation": "The general list is one press away",
    "alternatives/1/approach": "Item to item",
}
CHOSEN = {"governance/role": "provider", "governance/risk": "minimal"}
RISK = {"likelihood": "low", "severity": "medium", "remaining": "low"}


@pytest.fixture
def draft(site: str) -> ModelVersion:
    """What the nightly training leaves: a draft over people who allow it."""
    items = Item.objects.bulk_create(
        Item(slug=f"item-{n}", title=f"Item {n}", creator=f"maker-{n % 3}") for n in range(9)
    )
    for number in range(24):
        ref = subject_ref(f"learnt-{number}")
        choice = ledger.Choice(purpose="recommendations", choice="give")
        ledger.save_choices(
            ledger.Request(subject_ref=ref, choices=[choice], source="api", actor="test", region="DE", age_band="adult")
        )
        Event.objects.bulk_create(_like(ref, items[(number + step) % 9], step) for step in range(5))
    version = training.train_recommender(actor="job:training")
    assert version is not None
    for name, figures in models.SOUND.items():  # 24 people are too few for the audits themselves
        models.evidence(version, name, kind="audit", **figures)
    return version


def _like(ref: Any, item: Item, step: int) -> Event:
    at = timezone.now() - timedelta(days=3, minutes=step)
    common = {"purpose": "recommendations", "kind": "like", "weight": 2.0, "received_at": at, "occurred_at": at}
    return Event(id=uuid4(), subject_ref=ref, item=item, **common)


@pytest.fixture
def decided(token: str, opa_engine: OpaEngine, monkeypatch: pytest.MonkeyPatch) -> Callable[[ModelVersion], Any]:  # noqa: F811
    """Ask both engines whether a person who allows it is served by a version; they answer alike."""

    def ask(version: ModelVersion) -> tuple[bool, list[str]]:
        resource = {
            "type": "personalization",
            "id": "home",
            "properties": {"data_categories": ["views"], "model": str(version)},
        }
        answers = []
        for engine in (None, opa_engine):
            with monkeypatch.context() as patch:
                if engine is not None:
                    patch.setattr(engines, "for_revision", lambda *_: opa_engine)
                answer = call(question("learnt-1", resource=resource), token).json()
            answers.append((answer["decision"], [reason["code"] for reason in answer["context"]["reasons"]]))
        assert answers[0] == answers[1]
        return answers[0]

    return ask


def test_the_document_takes_a_draft_to_live(as_officer, site, draft, decided, look):
    guide = Guide("model-release.md")
    owner, approver = as_officer(with_role("olga", "model-owner")), as_officer(with_role("albert", "approver"))

    _open_the_draft(owner, guide)
    _write_the_documents(owner, guide, look)
    _submit(owner, guide)
    _propose_too_early(owner, guide)
    _review(approver, guide)
    _propose(owner, guide)
    _approve(approver, guide)
    assert decided(draft) == (False, ["model_unknown", "level_capped_by_model"])
    _make_live(approver, guide, look)

    assert decided(draft) == (True, [])
    assert guide.left == set(), "words of the document that nothing did"
    draft.refresh_from_db()
    assert draft.status == ModelVersion.Status.LIVE

    _read_in_public(as_officer(None), site, look)
    _step(approver, "Suspend", "Suspend this version")
    assert decided(draft) == (False, ["model_not_live"])


def _open_the_draft(page: Any, guide: Guide) -> None:
    section, link = guide(1, "Models > Model versions").split(" > ")
    page.locator("nav, #nav-sidebar").get_by_role("link", name=link).first.click()
    page.get_by_text(section, exact=True).first.wait_for()
    page.get_by_role("link", name="House recommender, version 1").first.click()
    page.get_by_text(guide(1, "Release gates")).first.wait_for()
    page.get_by_text("Model card: revision 1, 100 of 100.").wait_for()


def _write_the_documents(page: Any, guide: Guide, look: Callable[..., None]) -> None:
    page.get_by_text(guide(2, "Documents"), exact=True).first.wait_for()
    for title, fill in (
        ("Model card", _fill_card),
        ("Data protection impact assessment", _fill_assessment),
        ("Runbook", _fill_runbook),
    ):
        page.get_by_role("link", name=guide(2, title), exact=True).click()
        page.get_by_role("heading", name=guide(2, "What it lacks")).wait_for()
        if title == "Model card":
            look(page, "model-card-begun")
        fill(page)
        page.get_by_role("button", name=guide(2, "Keep as a new revision"), exact=True).click()
        page.get_by_text("It is complete.").wait_for()
        page.get_by_role("link", name=guide(2, "Back to the version")).click()


def _fill_card(page: Any) -> None:
    for name, text in CARD.items():
        page.locator(f"[name='{name}']").fill(text)
    for name, value in CHOSEN.items():
        page.locator(f"[name='{name}']").select_option(value)
    page.locator("[name='alternatives/1/chosen']").check()


def _fill_assessment(page: Any) -> None:
    for box in page.locator("textarea[name^='answers/']").all():
        if not box.input_value():
            box.fill("Answered for this version.")
    page.locator("[name='risks/1/risk']").fill("Somebody is singled out.")
    page.locator("[name='risks/1/measure']").fill("Segments of at least 20 people.")
    for name, value in RISK.items():
        page.locator(f"[name='risks/1/{name}']").select_option(value)


def _fill_runbook(page: Any) -> None:
    for box in page.locator("textarea[name^='answers/']").all():
        if not box.input_value():
            box.fill("See the handbook of operations.")
    page.locator("[name='contacts/1/name']").fill("On call")
    page.locator("[name='contacts/1/contact']").fill("oncall@example.org")


def _step(page: Any, link: str, button: str) -> None:
    """Take a step on a version's page: its link leads to a page that says what it does."""
    page.get_by_role("link", name=link).first.click()
    page.get_by_role("button", name=button, exact=True).click()
    page.wait_for_load_state()


def _submit(page: Any, guide: Guide) -> None:
    words = guide(3, "Submit for review")
    _step(page, words, words)
    page.get_by_text("is in review.").first.wait_for()


def _propose_too_early(page: Any, guide: Guide) -> None:
    _step(page, guide(4, "Approve"), guide(4, "Draft the approval"))
    page.get_by_text("waits for the approval of another officer").first.wait_for()
    assert page.get_by_role("button", name="Propose").count() == 0, "not while a gate is missing"


def _review(page: Any, guide: Guide) -> None:
    page.goto(page.url)
    page.get_by_role("link", name=guide(3, "House recommender, version 1")).first.click()
    page.get_by_role("link", name="Data protection impact assessment", exact=True).first.click()
    page.get_by_label("You review revision 1 for").select_option("privacy")
    page.get_by_role("button", name=guide(3, "Approve"), exact=True).click()
    page.get_by_text("Your review is kept.").wait_for()


def _propose(page: Any, guide: Guide) -> None:
    press(page, guide(4, "Check again"))
    press(page, guide(4, "Propose"), because="All gates passed.")


def _approve(page: Any, guide: Guide) -> None:
    page.goto(page.url.partition("/models/")[0] + "/")
    page.get_by_role("link", name=guide(4, "Change set to approve")).first.click()
    press(page, "Approve", because="Read and agreed.")
    page.get_by_text("In force.", exact=True).wait_for()


def _make_live(page: Any, guide: Guide, look: Callable[..., None]) -> None:
    page.get_by_role("link", name=guide(5, "Page of house-recommender/1")).click()
    _step(page, guide(5, "Make live"), guide(5, "Make this version live"))
    page.get_by_text("is live from the next decision on").first.wait_for()
    look(page, "model-live")
    page.goto(f"{page.url.partition('/admin/')[0]}/admin/models/")
    page.get_by_role("link", name="House recommender, version 1").first.wait_for()
    look(page, "model-overview")
    page.go_back()


def _read_in_public(page: Any, site: str, look: Callable[..., None]) -> None:
    """Anybody reads the card of what is live, and a creator what counts."""
    page.goto(f"{site}/privacy/ranking")
    page.get_by_role("link", name="The model behind the recommendations").click()
    page.get_by_text("Suggestions on the home page").wait_for()
    look(page, "model-card-public")
    page.goto(f"{site}/privacy/ranking/creators")
    page.get_by_role("heading", name="How you opt out").wait_for()
    look(page, "creators-public")
