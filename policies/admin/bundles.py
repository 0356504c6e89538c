"""Pages of bundles and activations: what was in force, and since when."""

import json
from typing import Any

from django.contrib import admin
from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from unfold.decorators import display

from common.admin_pages.display import badge, code, exact_moment, folded, moment, pretty_json, short, table, who
from common.admin_pages.filters import since
from common.admin_pages.read_only import ReadOnlyAdmin
from policies.models import (
    Activation,
    ActiveBundle,
    Bundle,
)


@admin.register(Bundle)
class BundleAdmin(ReadOnlyAdmin):
    list_display = ["title", "standing", "reason", "by", "made"]
    list_filter = [since("created_at")]
    fields = [
        "standing",
        "reason",
        "by",
        "made_exactly",
        "revision_in_full",
        "contents",
        "data_shown",
        "policies_shown",
    ]
    readonly_fields = [
        "standing", "by", "made_exactly", "revision_in_full", "contents", "data_shown", "policies_shown",
    ]  # fmt: skip

    def get_queryset(self, request: HttpRequest) -> QuerySet[Bundle]:
        in_force = ActiveBundle.objects.filter(bundle=OuterRef("pk"))
        bundles = super().get_queryset(request).annotate(in_force=Exists(in_force))
        return bundles.defer("data", "policies")  # type: ignore[no-any-return]

    @display(description="Revision", ordering="revision")
    def title(self, bundle: Bundle) -> str:
        return short(bundle.revision.removeprefix("sha256:"), keep=12)

    @display(description="State")
    def standing(self, bundle: Any) -> str:
        return badge("In force", "good") if bundle.in_force else badge("Replaced")

    @display(description="Made by", ordering="actor")
    def by(self, bundle: Bundle) -> str:
        return who(bundle.actor)

    @display(description="Made", ordering="created_at")
    def made(self, bundle: Bundle) -> str:
        return moment(bundle.created_at)

    @display(description="Made")
    def made_exactly(self, bundle: Bundle) -> str:
        return exact_moment(bundle.created_at)

    @display(description="Revision")
    def revision_in_full(self, bundle: Bundle) -> str:
        return code(bundle.revision)

    @display(description="What is in it")
    def contents(self, bundle: Bundle) -> str:
        data = json.loads(bundle.data)
        return table(
            [
                ("Processing activities", len(data["purposes"])),
                ("Models", len(data["models"])),
                ("Regions", len(data["residency"]["regions"])),
                ("Residency rules", len(data["residency"]["rules"])),
                ("Retention schedules", len(data["retention"])),
                ("Policy files", len(bundle.policies)),
            ]
        )

    @display(description="Registers")
    def data_shown(self, bundle: Bundle) -> str:
        return folded("Show the data as policies read it", pretty_json(bundle.data))

    @display(description="Policies")
    def policies_shown(self, bundle: Bundle) -> str:
        texts = sorted(bundle.policies.items())
        return format_html_join("", "{}", ((folded(name, format_html("<pre>{}</pre>", text)),) for name, text in texts))


@admin.register(Activation)
class ActivationAdmin(ReadOnlyAdmin):
    list_display = ["when", "reason", "by", "revision"]
    list_filter = [since("activated_at")]
    list_select_related = ["bundle"]
    fields = ["when_exactly", "reason", "by", "bundle"]
    readonly_fields = ["when_exactly", "by"]

    @display(description="In force since", ordering="activated_at")
    def when(self, activation: Activation) -> str:
        return moment(activation.activated_at)

    @display(description="In force since")
    def when_exactly(self, activation: Activation) -> str:
        return exact_moment(activation.activated_at)

    @display(description="By", ordering="actor")
    def by(self, activation: Activation) -> str:
        return who(activation.actor)

    @display(description="Revision")
    def revision(self, activation: Activation) -> str:
        url = reverse("admin:policies_bundle_change", args=[activation.bundle_id])
        return short(activation.bundle_id.removeprefix("sha256:"), keep=12, href=url)
