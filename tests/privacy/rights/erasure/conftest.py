"""A person with data in every store of ours, and the home with its erasure ledger."""

from typing import Any
from uuid import UUID

import pytest
from django.conf import settings

from audit import trail
from consent import links
from consent.ledger import ledger
from consent.models import SavedRequest
from consent.pseudonyms import subject_ref
from policies.decisions import evaluate
from policies.decisions.questions import Question
from privacy import tasks
from privacy.retention import disposal
from privacy.rights.clocks.laws import Right
from privacy.rights.models import RightsRequest
from privacy.rights.requests import fulfilling, requests
from tests.privacy.conftest import choose, remember  # noqa: F401 (fixtures)

PERSON = "customer-1"
REF = subject_ref(PERSON)


@pytest.fixture(autouse=True)
def home(tmp_path: Any, monkeypatch: Any) -> Any:
    monkeypatch.setattr(settings, "ASSENT_HOME", tmp_path)
    monkeypatch.setattr(settings, "ERASURE_LEDGER_COPY", tmp_path / "elsewhere" / "ledger.jsonl")
    monkeypatch.setattr(tasks.run_disposals, "apply_async_on_commit", lambda **message: None)
    return tmp_path


@pytest.fixture
def known(choose: Any, remember: Any) -> UUID:  # noqa: F811
    """A person with something in every store."""
    ledger.save_choices(
        ledger.Request(
            subject_ref=REF,
            choices=[ledger.Choice(purpose="recommendations", choice="give", notice_version=1)],
            source="api", actor="service:shop", region="DE", age_band="adult", idempotency_key="first",
        )
    )  # fmt: skip
    choose(PERSON, "give", "newsletter")
    remember(PERSON, 3)
    disposal.queue_for_withdrawals([choose(PERSON, "withdraw", "newsletter")])
    choose(PERSON, "give", "newsletter")
    links.issue_link(subject_ref=REF, issued_by="service:shop")
    trail.record("subject.looked_up", str(REF), actor="officer:anna", details={"page": "person"})
    assert SavedRequest.objects.exists()
    fulfilling.run(asked(Right.ACCESS).pk)
    return REF


def asked(right: Right = Right.ERASURE, ref: UUID = REF, **changes: Any) -> RightsRequest:
    said = {"door": "api", "actor": "service:shop", "is_identified": True, "region": "DE", **changes}
    return requests.open_request(requests.Opening(right=right, subject_ref=ref, **said)).request


def erased(ref: UUID = REF) -> RightsRequest:
    return fulfilling.run(asked(ref=ref).pk)


def decided(ref: UUID = REF, *, purpose: str = "recommendations", action: str = "personalize") -> list[str]:
    """Ask as a service does; return the reasons, none for a permit."""
    question = Question(subject_ref=ref, action=action, purpose=purpose, processing_region="eu-central")
    decision = evaluate.decide(question, caller="service:shop")
    return [] if decision.permitted else list(decision.reasons)


def answer_of(request: RightsRequest) -> dict[str, Any]:
    details: dict[str, Any] = request.steps.get(move="complete").details
    return details
