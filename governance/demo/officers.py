"""Officers of the demonstration, who approve its model: accounts without a password, switched off."""

from django.contrib.auth.models import User

from common.actors import Officer


def author() -> Officer:
    """Return who writes the documents and proposes."""
    return _officer("demo-product")


def approver() -> Officer:
    """Return who approves: an account that is independent of the author's."""
    return _officer("demo-privacy")


def _officer(name: str) -> Officer:
    account = User.objects.filter(username=name).first()
    if account is None:
        account = User(username=name, is_active=False)
        account.set_unusable_password()
        account.save()
    return Officer.of(name, account.pk)
