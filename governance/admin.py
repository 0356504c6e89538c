"""Accounts of officers, their roles and sessions. ``officers.account_events`` records every change of an account."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.models import Group, User
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Exists, Model, OuterRef, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from unfold.decorators import display
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget

from common.admin_pages.bulk import BulkInOneTransaction
from common.admin_pages.display import badge, moment
from common.admin_pages.model_admin import ModelAdmin
from common.admin_pages.read_only import ReadOnlyAdmin
from governance.models import OfficerSession, SecondFactor
from governance.officers import (
    account_events,
    purpose_admin,  # noqa: F401 (registers the register of purposes)
    rights_register,
    role_groups,
)
from governance.officers.rights_register import OFFICER_RIGHTS
from governance.officers.roles import CAPABILITIES, PREFIX, ROLES, names_of, of_group
from governance.sign_in import sessions
from oversight import rows
from oversight.admin import (
    presenting,
    relaxed,  # noqa: F401 (registers the page of relaxed registers)
)
from oversight.admin.forms import DraftsDeletions
from oversight.changes.documents import Proposed
from oversight.registers import Register

admin.site.unregister(User)
admin.site.unregister(Group)


class _OfficerForm(UserChangeForm):  # type: ignore[misc]  # unfold ships no types
    roles = forms.MultipleChoiceField(
        required=False,
        label="Roles",
        choices=[(role.slug, f"{role.name}: {role.sentence}") for role in ROLES.values()],
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
    )

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        if "roles" in self.fields and self.instance.pk:
            self.initial["roles"] = role_groups.roles_of(self.instance)


class _RoleFilter(admin.RelatedFieldListFilter):
    def field_choices(self, field: Any, request: HttpRequest, model_admin: Any) -> Any:
        groups = Group.objects.order_by("name").values_list("pk", "name")
        return [(str(number), names_of([name])[0]) for number, name in groups]


@admin.register(User)
class OfficerAdmin(DraftsDeletions, BulkInOneTransaction, UserAdmin, ModelAdmin):  # type: ignore[type-arg,misc]  # unfold's
    form = _OfficerForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    change_form_outer_after_template = "admin/changes/of_object.html"
    list_display = ["username", "standing", "rights", "factor", "seen"]
    list_filter = ["is_active", "is_superuser", ("groups", _RoleFilter)]
    fieldsets = [
        (None, {"fields": ["username", "password"]}),
        ("Who it is", {"fields": ["first_name", "last_name", "email"]}),
        ("What they may do", {"fields": ["is_active", "is_staff", "roles", "everything", "former_groups"]}),
        ("Dates", {"fields": ["last_login", "date_joined"]}),
    ]
    # The name is that of the audit trail, for good. Everything may be granted by the operator's command only.
    readonly_fields = ["username", "everything", "former_groups", "last_login", "date_joined"]
    filter_horizontal = ()

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> Any:
        if obj is None:
            return [name for name in self.readonly_fields if name != "username"]
        own = ["is_active", "is_staff"] if obj.pk == request.user.pk else []
        return [*self.readonly_fields, *own]

    def get_fieldsets(self, request: HttpRequest, obj: User | None = None) -> Any:
        found = super().get_fieldsets(request, obj)
        hidden = set()
        if obj is not None and obj.pk == request.user.pk:
            hidden.add("roles")  # nobody widens their own
        if obj is None or not _former_groups(obj):
            hidden.add("former_groups")
        return [(t, {**o, "fields": [f for f in o["fields"] if f not in hidden]}) for t, o in found]

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return super().has_change_permission(request, obj) and _may_touch(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return super().has_delete_permission(request, obj) and _may_touch(request, obj)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Save who it is; what they may do becomes a draft (``save_related``)."""
        if not change:
            obj.is_staff = False  # rights are given by a change set
        else:
            obj.wanted = {"is_active": obj.is_active, "is_staff": obj.is_staff}
            stored = User.objects.get(pk=obj.pk)
            obj.is_active, obj.is_staff = stored.is_active, stored.is_staff
        with rights_register.operator_writes():
            super().save_model(request, obj, form, change)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        if change and form.instance.pk != request.user.pk:
            self._draft_rights(request, form.instance, form.cleaned_data.get("roles"))

    def _draft_rights(self, request: HttpRequest, user: Any, roles: list[str] | None) -> None:
        document = {**rows.document_of(OFFICER_RIGHTS, user), **user.wanted}
        if roles is not None:
            document["groups"] = role_groups.groups_with(user, roles)
        if document == rows.document_of(OFFICER_RIGHTS, user):
            return
        proposed = [Proposed(OFFICER_RIGHTS.name, user.username, document)]
        self._draft(request, proposed, f"Change the rights of officer “{user.username}”")

    def response_change(self, request: HttpRequest, obj: Any) -> HttpResponse:
        change_set = getattr(request, "assent_set", None)
        return super().response_change(request, obj) if change_set is None else redirect("change-set", pk=change_set.pk)

    def called(self, register: Register) -> str:
        return "the account of officer"

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[User] | list[User]) -> None:
        if not all(_may_touch(request, user) for user in queryset):
            raise PermissionDenied("auth.delete_user")
        super().delete_queryset(request, queryset)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        user = self.get_object(request, object_id)
        sets = presenting.of_object(OFFICER_RIGHTS.name, user.username) if user is not None else []
        return super().change_view(request, object_id, form_url, {"object_sets": sets, **(extra_context or {})})

    @display(description="State", ordering="is_active")
    def standing(self, user: User) -> str:
        return badge("May sign in", "good") if user.is_active and user.is_staff else badge("May not sign in")

    @display(description="Rights")
    def rights(self, user: User) -> str:
        if user.is_superuser:
            return "Everything"
        return ", ".join(names_of(group.name for group in user.groups.all())) or "None"

    @display(description="Second factor", boolean=True)
    def factor(self, user: User) -> bool:
        return bool(getattr(user, "has_factor", False))  # counted by the list's query

    @display(description="Last seen", ordering="last_login")
    def seen(self, user: User) -> str:
        return moment(user.last_login)

    @display(description="Everything")
    def everything(self, user: User) -> str:
        return "May do everything (set by ./assent officers create --superuser)" if user.is_superuser else "No"

    @display(description="Groups of before the roles")
    def former_groups(self, user: User) -> str:
        return ", ".join(_former_groups(user))

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        factors = SecondFactor.objects.filter(account=OuterRef("pk"))
        users: QuerySet[User] = super().get_queryset(request).prefetch_related("groups")
        return users.annotate(has_factor=Exists(factors))

    def user_change_password(self, request: HttpRequest, id: str, form_url: str = "") -> HttpResponse:  # noqa: A002 (Django's name)
        with transaction.atomic():  # with its audit event; Django opens none here
            return super().user_change_password(request, id, form_url)


def _may_touch(request: HttpRequest, user: User | None) -> bool:
    """Return whether an account may be changed: who can do everything only by such another."""
    return user is None or request.user.is_superuser or not user.is_superuser


def _former_groups(user: User) -> list[str]:
    return sorted(group.name for group in user.groups.all() if not group.name.startswith(PREFIX))


@admin.register(Group)
class RoleAdmin(ReadOnlyAdmin):
    """Roles as they are set in ``officers.roles``, and groups that an older release made: to look at, and to delete."""

    list_display = ["called", "meaning", "officers"]
    ordering = ["pk"]
    fields = ["called", "meaning", "may", "officers"]
    readonly_fields = ["called", "meaning", "may", "officers"]

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        is_former = isinstance(obj, Group) and of_group(obj.name) is None
        return is_former and request.user.has_perm("auth.delete_group")

    def delete_model(self, request: HttpRequest, obj: Model) -> None:
        with rights_register.operator_writes():
            super().delete_model(request, obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        with rights_register.operator_writes():
            super().delete_queryset(request, queryset)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Group]:
        found: QuerySet[Group] = super().get_queryset(request)
        return found.prefetch_related("user_set", "permissions__content_type")

    @display(description="Role", ordering="name")
    def called(self, group: Group) -> str:
        return names_of([group.name])[0]

    @display(description="What it is for")
    def meaning(self, group: Group) -> str:
        role = of_group(group.name)
        return role.sentence if role else "A group of before the roles."

    @display(description="May")
    def may(self, group: Group) -> str:
        role = of_group(group.name)
        if role is not None:
            return "; ".join(CAPABILITIES[name].sentence for name in role.capabilities)
        return ", ".join(f"{p.content_type.app_label}.{p.codename}" for p in group.permissions.all())

    @display(description="Officers")
    def officers(self, group: Group) -> str:
        return ", ".join(sorted(user.username for user in group.user_set.all())) or "Nobody"


@admin.register(OfficerSession)
class OfficerSessionAdmin(ReadOnlyAdmin):
    """Sessions in force of all officers. Each officer's own are on the page *Sign-in and sessions*."""

    list_display = ["account", "means", "began", "seen", "network"]
    fields = ["account", "means", "began_at", "seen_at", "expires_at", "network", "browser"]
    actions = ("end",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[OfficerSession]:
        return sessions.in_force().select_related("account")

    def has_view_permission(self, request: HttpRequest, obj: OfficerSession | None = None) -> bool:
        return request.user.has_perm("governance.view_officersession")

    def has_end_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("governance.change_officersession")

    @display(description="Since", ordering="began_at")
    def began(self, session: OfficerSession) -> str:
        return moment(session.began_at)

    @display(description="Last seen", ordering="seen_at")
    def seen(self, session: OfficerSession) -> str:
        return moment(session.seen_at)

    @admin.action(description="End: signed out with the next request", permissions=["end"])
    def end(self, request: HttpRequest, chosen: QuerySet[OfficerSession]) -> None:
        with transaction.atomic():
            for session in chosen:
                account_events.record(session.account, "officer.session_ended")
            ended = sessions.end(OfficerSession.objects.filter(pk__in=[session.pk for session in chosen]))
        messages.success(request, f"{ended} {'session is' if ended == 1 else 'sessions are'} ended.")
