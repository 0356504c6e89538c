"""Officers of the demonstration, who approve its model: accounts without a password, switched off."""

from django.contrib.auth.models import User
from django.utils import timezone

from common.actors import Officer
from model_registry import approval, prefill
from model_registry.models import ModelVersion
from oversight.changes import approval as verdicts
from oversight.changes import drafting


def author() -> Officer:
    """Return who writes the documents and proposes."""
    return _officer("demo-product")


def approver() -> Officer:
    """Return who approves: an account that is independent of the author's."""
    return _officer("demo-privacy")


def seconded(version: ModelVersion, status: str) -> None:
    """Bring a step that takes two officers into force: one proposes it, the other approves."""
    until = (timezone.now() + prefill.REVIEW_AFTER).date()
    change_set = approval.draft_status(version, status, until=until, actor=author())
    drafting.propose(change_set, actor=author(), reason="Its release gates have passed.")
    change_set.refresh_from_db()
    verdicts.approve(change_set, actor=approver(), seen=change_set.digest)


def _officer(name: str) -> Officer:
    account = User.objects.filter(username=name).first()
    if account is None:
        account = User(username=name, is_active=False)
        account.set_unusable_password()
        account.save()
    return Officer.of(name, account.pk)
