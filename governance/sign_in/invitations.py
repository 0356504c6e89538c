"""Links by which an officer sets a password: for a new account, and after a reset. Made by the operator's command."""

from typing import Any

from django.conf import settings
from django.contrib import admin
from django.contrib.auth.forms import SetPasswordForm
from django.contrib.auth.models import User
from django.contrib.auth.tokens import default_token_generator
from django.contrib.auth.views import PasswordResetConfirmView
from django.db import transaction
from django.http import HttpResponse
from django.urls import reverse, reverse_lazy
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode
from unfold.widgets import INPUT_CLASSES

from governance.officers import account_events
from governance.sign_in import sessions


class _Form(SetPasswordForm):  # type: ignore[type-arg]  # generic in the stubs only
    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        for field in self.fields.values():
            field.widget.attrs["class"] = " ".join(INPUT_CLASSES)


class Invitation(PasswordResetConfirmView):
    """Page behind the link. The token leaves the address at once; it counts once and for PASSWORD_RESET_TIMEOUT."""

    template_name = "admin/sign_in/invitation.html"
    form_class = _Form
    success_url = reverse_lazy("admin:login")
    title = "Choose your password"

    def get_context_data(self, **more: Any) -> dict[str, Any]:
        return super().get_context_data(**admin.site.each_context(self.request), **more)

    def form_valid(self, form: Any) -> HttpResponse:
        with account_events.acting_as("invitation"), transaction.atomic():
            return super().form_valid(form)


@transaction.atomic
def reset_password(user: User) -> str:
    """Take the password from an account, end its sessions, and return the link that sets a new one."""
    user.set_unusable_password()
    user.save()
    sessions.end_others(user)
    return link_for(user)


def link_for(user: User) -> str:
    """Return the link by which the holder of an account sets its password. Another password ends it."""
    number = urlsafe_base64_encode(force_bytes(user.pk))
    path = reverse("officer-invitation", args=[number, default_token_generator.make_token(user)])
    return f"{settings.PUBLIC_URL}{path}"
