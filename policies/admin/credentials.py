"""Pages of service credentials."""

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from unfold.decorators import action, display
from unfold.enums import ActionVariant

from common import actors
from common.admin_pages.confirm import Step, confirm
from common.admin_pages.display import badge, exact_moment, moment
from common.admin_pages.read_only import ReadOnlyAdmin
from policies.endpoints import credentials
from policies.models import (
    ServiceCredential,
)


@admin.register(ServiceCredential)
class ServiceCredentialAdmin(ReadOnlyAdmin):
    list_display = ["name", "standing", "may", "made", "ends"]
    fields = ["name", "standing", "may", "made_exactly", "ends_exactly", "revoked"]
    readonly_fields = ["standing", "may", "made_exactly", "ends_exactly", "revoked"]
    actions = ("revoke",)
    actions_detail = ("revoke_this",)

    @display(description="State")
    def standing(self, credential: ServiceCredential) -> str:
        if credential.revoked_at is not None:
            return badge("Revoked", "alarm")
        return badge("Valid", "good") if credential.is_valid else badge("Ended", "caution")

    @display(description="May")
    def may(self, credential: ServiceCredential) -> str:
        return ", ".join(ServiceCredential.Scope(scope).label for scope in credential.scopes)

    @display(description="Made", ordering="created_at")
    def made(self, credential: ServiceCredential) -> str:
        return moment(credential.created_at)

    @display(description="Ends", ordering="expires_at")
    def ends(self, credential: ServiceCredential) -> str:
        return moment(credential.expires_at)

    @display(description="Made")
    def made_exactly(self, credential: ServiceCredential) -> str:
        return exact_moment(credential.created_at)

    @display(description="Ends")
    def ends_exactly(self, credential: ServiceCredential) -> str:
        return exact_moment(credential.expires_at)

    @display(description="Revoked")
    def revoked(self, credential: ServiceCredential) -> str:
        return exact_moment(credential.revoked_at)

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
            credentials.revoke_credential(credential=credential, actor=actors.officer(request))
            messages.success(request, f"{credential} is revoked.")

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
            ],
            button="Revoke this credential",
            done=f"{credential} is revoked.",
            is_dangerous=True,
        )
        return confirm(
            request,
            credential,
            step,
            lambda: credentials.revoke_credential(credential=credential, actor=actors.officer(request)),
        )
