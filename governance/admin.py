"""Accounts of officers and their groups. ``officers.account_events`` records every change of them."""

from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.models import Group, User
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from unfold.decorators import display
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget

from common.admin_pages.bulk import BulkInOneTransaction
from common.admin_pages.display import badge, moment
from common.admin_pages.model_admin import ModelAdmin
from governance.officers import purpose_admin  # noqa: F401 (registers the register of purposes)

admin.site.unregister(User)
admin.site.unregister(Group)


@admin.register(User)
class OfficerAdmin(BulkInOneTransaction, UserAdmin, ModelAdmin):  # type: ignore[type-arg]  # unfold ships no types
    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    list_display = ["username", "standing", "rights", "seen"]
    list_filter = ["is_active", "is_superuser", "groups"]
    fieldsets = [
        (None, {"fields": ["username", "password"]}),
        ("Who it is", {"fields": ["first_name", "last_name", "email"]}),
        ("What they may do", {"fields": ["is_active", "is_staff", "is_superuser", "groups"]}),
        ("Dates", {"fields": ["last_login", "date_joined"]}),
    ]
    readonly_fields = ["last_login", "date_joined"]
    filter_horizontal = ()

    def formfield_for_manytomany(self, db_field: Any, request: HttpRequest, **options: Any) -> Any:
        return super().formfield_for_manytomany(
            db_field, request, **{**options, "widget": UnfoldAdminCheckboxSelectMultipleWidget}
        )

    @display(description="State", ordering="is_active")
    def standing(self, user: User) -> str:
        return badge("May sign in", "good") if user.is_active and user.is_staff else badge("May not sign in")

    @display(description="Rights")
    def rights(self, user: User) -> str:
        return "Everything" if user.is_superuser else "What was granted"

    @display(description="Last seen", ordering="last_login")
    def seen(self, user: User) -> str:
        return moment(user.last_login)

    def user_change_password(self, request: HttpRequest, id: str, form_url: str = "") -> HttpResponse:  # noqa: A002 (Django's name)
        with transaction.atomic():  # with its audit event; Django opens none here
            return super().user_change_password(request, id, form_url)


@admin.register(Group)
class OfficerGroupAdmin(BulkInOneTransaction, GroupAdmin, ModelAdmin):
    pass
