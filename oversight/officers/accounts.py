"""Officers whom a command names: on the shell, an act is that of the account it names."""

from django.contrib.auth import get_user_model

from common import actors
from oversight.problems import ChangeRefused


def officer(name: str, *, right: str) -> actors.Officer:
    """Return the actor of an officer's account that has a right. Raises ChangeRefused where there is none."""
    user = get_user_model().objects.filter(is_active=True, is_staff=True, username=name).first()
    if user is None:
        raise ChangeRefused(f"No officer is called “{name}”.")
    if not user.has_perm(right):
        raise ChangeRefused(f"Officer “{name}” lacks the right “{right}”. Give the account a role that has it.")
    return actors.Officer.of(name, user.pk)
