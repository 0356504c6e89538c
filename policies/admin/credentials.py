"""Pages of service credentials: the right is drafted, and its token made once when it is in force."""

from datetime import datetime
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.forms import ModelForm
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from unfold.decorators import action, display
from unfold.enums import ActionVariant
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget

from common import actors
from common.admin_pages.confirm import Step, confirm
from common.admin_pages.display import NOTHING, badge, exact_moment, moment
from common.admin_pages.model_admin import ModelAdmin
from common.http.problems import Problem
from oversight.admin.forms import DraftsChanges
from policies.endpoints import credential_register, credentials
from policies.models import ServiceCredential


def _in_a_year() -> datetime:
    return timezone.now() + credentials.DEFAULT_LIFETIME


class CredentialForm(ModelForm):  # type: ignore[type-arg]  # not subscriptable at run time
    scopes = forms.MultipleChoiceField(
        choices=ServiceCredential.Scope.choices,
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
        label="May",
        help_text="Give each service its own credential, with no more than it needs.",
    )

    class Meta:
        labels = {"name": "Service", "repeatable_answers": "Repeatable answers"}
        help_texts = {
            "name": "As the audit trail and the decision log name the caller. It can never be changed.",
            "expires_at": "From then on the service is refused.",
            "repeatable_answers": "AuthZEN answers leave decision_id out: asked again, they are the same bytes.",
        }

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        if self.instance.pk is None and "expires_at" in self.fields:
            self.initial.setdefault("expires_at", _in_a_year())

    def clean_name(self) -> str:
        name = str(self.cleaned_data["name"]).strip()
        if "/" in name:
            raise forms.ValidationError("The name of a service has no “/”.")
        return name


@admin.register(ServiceCredential)
class ServiceCredentialAdmin(DraftsChanges, ModelAdmin):
    form = CredentialForm
    list_display = ["name", "standing", "may", "made", "ends"]
    list_per_page = 50
    search_fields = ["name"]
    actions = ("revoke",)
    actions_detail = ("make_token", "revoke_this")

    def get_fields(self, request: HttpRequest, obj: ServiceCredential | None = None) -> list[str]:
        if obj is None:
            return ["name", "scopes", "expires_at", "repeatable_answers"]
        scopes = "scopes" if self.has_change_permission(request, obj) else "may"  # in words where only read
        shown = ["name", "number", "standing", "token", scopes, "made_exactly", "expires_at", "revoked"]
        return [*shown, "repeatable_answers"]

    def get_readonly_fields(self, request: HttpRequest, obj: ServiceCredential | None = None) -> list[str]:
        return ["name", "number", "standing", "token", "may", "made_exactly", "revoked"] if obj else []

    def has_change_permission(self, request: HttpRequest, obj: ServiceCredential | None = None) -> bool:
        is_final = obj is not None and obj.revoked_at is not None
        return not is_final and super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: ServiceCredential | None = None) -> bool:
        return False  # the audit trail and the decision log name it

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        if not change:
            obj.number = credentials.next_number(obj.name)
        super().save_model(request, obj, form, change)

    @display(description="State")
    def standing(self, credential: ServiceCredential) -> str:
        if credential.revoked_at is not None:
            return badge("Revoked", "alarm")
        if credential.may_get_token:
            return badge("Without a token", "caution")
        return badge("Valid", "good") if credential.is_valid else badge("Ended", "caution")

    @display(description="May")
    def may(self, credential: ServiceCredential) -> str:
        return ", ".join(ServiceCredential.Scope(scope).label for scope in credential.scopes)

    @display(description="Token")
    def token(self, credential: ServiceCredential) -> str:
        if credential.token_hash is None:
            return "Not made yet: until then the service cannot call."
        return "Made. Only its SHA-256 is stored, so it cannot be shown again."

    @display(description="Made", ordering="created_at")
    def made(self, credential: ServiceCredential) -> str:
        return moment(credential.created_at)

    @display(description="Ends", ordering="expires_at")
    def ends(self, credential: ServiceCredential) -> str:
        return moment(credential.expires_at)

    @display(description="Made")
    def made_exactly(self, credential: ServiceCredential) -> str:
        return exact_moment(credential.created_at)

    @display(description="Revoked")
    def revoked(self, credential: ServiceCredential) -> str:
        return exact_moment(credential.revoked_at) if credential.revoked_at else NOTHING

    def has_revoke_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("policies.change_servicecredential")

    def has_revoke_this_permission(self, request: HttpRequest, object_id: str) -> bool:
        return (
            self.has_revoke_permission(request)
            and ServiceCredential.objects.filter(pk=object_id, revoked_at=None).exists()
        )

    @admin.action(description="Revoke: refused from the next request on", permissions=["revoke"])
    def revoke(self, request: HttpRequest, chosen: QuerySet[ServiceCredential]) -> None:
        for credential in chosen:
            try:
                credential_register.revoke(credential, actor=actors.officer(request))
            except Problem as problem:
                messages.error(request, problem.detail)
            else:
                messages.success(request, f"{credential} is revoked. Another officer is asked to look at it.")

    @action(
        description="Revoke",
        permissions=["revoke_this"],
        url_path="revoke",
        icon="block",
        variant=ActionVariant.DANGER,
    )
    def revoke_this(self, request: HttpRequest, object_id: str) -> HttpResponse:
        credential = get_object_or_404(ServiceCredential, pk=object_id)
        step = Step(
            title=f"Revoke the credential of “{credential.name}”?",
            effects=[
                "The service is refused from its very next request on.",
                "This cannot be undone. The service needs a new credential to go on.",
                "Other credentials of the same name stay valid.",
                "Another officer is asked to look at it afterwards.",
            ],
            button="Revoke this credential",
            done=f"{credential} is revoked.",
            is_dangerous=True,
        )
        return confirm(
            request, credential, step, lambda: credential_register.revoke(credential, actor=actors.officer(request))
        )

    def has_make_token_permission(self, request: HttpRequest, object_id: str) -> bool:
        found = ServiceCredential.objects.filter(pk=object_id).first()
        return self.has_revoke_permission(request) and found is not None and found.may_get_token

    @action(
        description="Make the token",
        permissions=["make_token"],
        url_path="token",
        icon="key",
        variant=ActionVariant.PRIMARY,
    )
    def make_token(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Ask first; then show the token, this once and in no stored page."""
        credential = get_object_or_404(ServiceCredential, pk=object_id)
        if request.method == "POST":
            return self._made(request, credential)
        step = Step(
            title=f"Make the token of “{credential.name}”?",
            effects=[
                "The token is shown once, on the next page. Have a place ready where the service keeps its secrets.",
                "Its holder may call as this service until the credential ends or is revoked.",
            ],
            button="Make the token",
            done="",
        )
        return confirm(request, credential, step, lambda: None)

    def _made(self, request: HttpRequest, credential: ServiceCredential) -> HttpResponse:
        try:
            token = credentials.make_token(credential, actor=actors.officer(request))
        except Problem as problem:
            messages.error(request, problem.detail)
            return redirect("admin:policies_servicecredential_change", credential.pk)
        context = {
            **admin.site.each_context(request),
            "title": f"Token of “{credential.name}”",
            "opts": self.opts,
            "credential": credential,
            "token": token,
        }
        return render(request, "admin/credentials/token.html", context)
