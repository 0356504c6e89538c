"""Register of purposes for officers: the form of the consent app, with other apps' knowledge of a purpose."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from unfold.decorators import display

from common import languages
from common.admin_pages.display import badge
from consent.admin.purposes import PurposeAdmin
from consent.models import Purpose
from governance.officers import purpose_page

admin.site.unregister(Purpose)


@admin.register(Purpose)
class RegisterAdmin(PurposeAdmin):
    list_display = ["name", "basis", "switch", "notice", "spoken", "level", "complete", "in_use"]
    list_select_related = ["parent", "controller"]
    change_form_outer_before_template = "admin/purpose_overview.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Purpose]:
        return purpose_page.with_texts(super().get_queryset(request))

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        changelist = super().get_changelist_instance(request)
        register = purpose_page.read_register()  # once, not per row
        for purpose in changelist.result_list:
            purpose.missing = [block["title"] for block in purpose_page.blocks(purpose, register)]
        return changelist

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        purpose = self.get_object(request, object_id)
        overview = purpose_page.context(purpose) if purpose and self.has_view_permission(request, purpose) else None
        shown = {**(extra_context or {}), "overview": overview}
        return super().change_view(request, object_id, form_url, shown)

    @display(description="Switch")
    def switch(self, purpose: Purpose) -> str:
        return purpose_page.switch(purpose)[0]

    @display(description="Notice in force")
    def notice(self, purpose: Purpose) -> str:
        newest = purpose_page.newest_notices(purpose)
        return (
            f"Version {newest[0].version} ({', '.join(n.locale for n in newest)})"
            if newest
            else badge("No notice", "alarm")
        )

    @display(description="Languages")
    def spoken(self, purpose: Purpose) -> str:
        return ", ".join(languages.name(code) for code in purpose_page.covered(purpose))

    @display(description="Complete")
    def complete(self, purpose: Purpose) -> str:
        missing = getattr(purpose, "missing", [])
        return badge(missing[0], "caution") if missing else badge("Complete", "good")
