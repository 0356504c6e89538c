"""Steps of a model's version that take two officers."""

from django.utils import timezone

from governance.demo.officers.accounts import approver, author
from model_registry import approval, prefill
from model_registry.models import ModelVersion
from oversight.changes import approval as verdicts
from oversight.changes import drafting


def seconded(version: ModelVersion, status: str) -> None:
    """Bring a step into force: one officer proposes it, the other approves."""
    until = (timezone.now() + prefill.REVIEW_AFTER).date()
    change_set = approval.draft_status(version, status, until=until, actor=author())
    drafting.propose(change_set, actor=author(), reason="Its release gates have passed.")
    change_set.refresh_from_db()
    verdicts.approve(change_set, actor=approver(), seen=change_set.digest)
