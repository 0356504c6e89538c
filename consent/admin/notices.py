"""Notices, immutable, with a comparison of two versions."""

from collections.abc import Sequence
from typing import Any

from django.contrib import admin
from django.db.models import Count, Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.template.loader import render_to_string
from django.urls import path
from django.utils.html import format_html
from unfold.decorators import display

from common import languages
from common.admin_pages.display import badge, code, exact_moment, moment, short
from common.admin_pages.model_admin import ModelAdmin
from common.admin_pages.permissions import require
from common.wording import word_diff
from consent.models import ConsentRecord, Notice


@admin.register(Notice)
class NoticeAdmin(ModelAdmin):
    """Notices to read and compare; they are written in the notice editor, at this admin's address to add."""

    list_display = ["title", "language", "material", "published", "fingerprint"]
    list_filter = ["purpose", "is_material", "locale"]
    list_select_related = ["purpose"]
    search_fields = ["text", "=text_sha256"]
    search_help_text = "Search the texts, or paste the SHA-256 of one."
    actions_detail_hide_default = True
    fieldsets = [
        (None, {"fields": ["purpose", "version_in_words", "language", "material_in_words", "published_exactly"]}),
        ("The text", {"fields": ["text", "digest", "referred_to"]}),
        ("All versions of this notice", {"fields": ["history"]}),
    ]
    readonly_fields = [
        "version_in_words", "language", "material_in_words", "published_exactly", "digest", "referred_to", "history",
    ]  # fmt: skip

    @display(description="Notice", ordering="purpose__order")
    def title(self, notice: Notice) -> str:
        return f"{notice.purpose.name}, version {notice.version}"

    @display(description="Language", ordering="locale")
    def language(self, notice: Notice) -> str:
        return languages.name(notice.locale)

    @display(description="Kind of change")
    def material(self, notice: Notice) -> str:
        return badge("Asks again", "caution") if notice.is_material else badge("Cosmetic")

    @display(description="Version")
    def version_in_words(self, notice: Notice) -> str:
        newest = max(n.version for n in self._versions(notice))
        now = badge("In force", "good") if notice.version == newest else badge("Replaced")
        return format_html("{} {}", notice.version, now)

    @display(description="Kind of change")
    def material_in_words(self, notice: Notice) -> str:
        return "Material: earlier consents are asked again" if notice.is_material else "Cosmetic: consents stay valid"

    @display(description="Published", ordering="published_at")
    def published(self, notice: Notice) -> str:
        return moment(notice.published_at)

    @display(description="Published")
    def published_exactly(self, notice: Notice) -> str:
        return exact_moment(notice.published_at)

    @display(description="SHA-256")
    def fingerprint(self, notice: Notice) -> str:
        return short(notice.text_sha256)

    @display(description="SHA-256 of the text")
    def digest(self, notice: Notice) -> str:
        return code(notice.text_sha256)

    @display(description="Records that refer to it")
    def referred_to(self, notice: Notice) -> str:
        this_text = Count("pk", filter=Q(proof__notice__sha256=notice.text_sha256))
        records = ConsentRecord.objects.filter(purpose=notice.purpose, notice_version=notice.version)
        found = records.aggregate(version=Count("pk"), text=this_text)
        return f"{found['text']:,} were shown this text; {found['version']:,} name its version in any language."

    @display(description="Newest first")
    def history(self, notice: Notice) -> str:
        versions = self._versions(notice)
        rows = [
            {"notice": n, "language": languages.name(n.locale), "before": _before(n, versions), "shown": n == notice}
            for n in versions
        ]
        return render_to_string("partials/notice_history.html", {"rows": rows})

    def _versions(self, notice: Notice) -> list[Notice]:
        return list(Notice.objects.filter(purpose=notice.purpose).order_by("-version", "locale"))

    def get_urls(self) -> list[Any]:
        compare = self.admin_site.admin_view(self.compare)
        return [path("compare/", compare, name="consent_notice_compare"), *super().get_urls()]

    def compare(self, request: HttpRequest) -> HttpResponse:
        """Compare two texts of one purpose, word by word. GET names both."""
        require(request, "consent.view_notice")
        before, after = (self._named(request, side) for side in ("before", "after"))
        if before.purpose_id != after.purpose_id:
            raise Http404
        context = {
            **self.admin_site.each_context(request),
            "title": f"{after.purpose.name}: what changed",
            "before": before,
            "after": after,
            "pair": [before, after],
            "pieces": word_diff(before.text, after.text),
            "notices": self._versions(after),
        }
        return render(request, "admin/notice_editor/compare.html", context)

    def _named(self, request: HttpRequest, side: str) -> Notice:
        key = request.GET.get(side, "")
        if not (key.isascii() and key.isdigit() and len(key) < 19):
            raise Http404
        return get_object_or_404(Notice.objects.select_related("purpose"), pk=key)

    def has_change_permission(self, request: HttpRequest, obj: Notice | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Notice | None = None) -> bool:
        return False


def _before(notice: Notice, versions: Sequence[Notice]) -> Notice | None:
    """Return the text in the same language that a notice replaced; ``versions`` are newest first."""
    return next((n for n in versions if n.locale == notice.locale and n.version < notice.version), None)
