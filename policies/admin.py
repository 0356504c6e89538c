import json
from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.forms import ModelForm
from django.http import HttpRequest
from django.utils.html import format_html, format_html_join
from unfold.admin import ModelAdmin

from audit import trail
from common import policy_data
from common.read_only_admin import ReadOnlyAdmin
from policies import credentials, reasons
from policies.models import (
    Activation,
    Bundle,
    Decision,
    Jurisdiction,
    ProcessingRegion,
    Region,
    ResidencyRule,
    SensitiveCategory,
    ServiceCredential,
    TransferInstrument,
)


class RuleAdmin(ModelAdmin):  # type: ignore[misc]  # unfold ships no types
    """Rules as data: saving one is audited and is a new bundle revision, in force at the next decision."""

    def save_model(self, request: HttpRequest, obj: Any, form: "ModelForm[Any]", change: bool) -> None:
        super().save_model(request, obj, form, change)
        self._publish(request, obj, "changed" if change else "created")

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        super().delete_model(request, obj)
        self._publish(request, obj, "deleted")

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        for rule in queryset:
            self.delete_model(request, rule)

    def _publish(self, request: HttpRequest, obj: Any, what: str) -> None:
        actor = f"officer:{request.user.get_username()}"
        name = f"{type(obj).__name__.lower()} {getattr(obj, 'slug', None) or getattr(obj, 'code', '')}"
        trail.record(f"rule.{what}", name, actor=actor)
        policy_data.changed(reason=f"{name} {what}", actor=actor)


@admin.register(Jurisdiction)
class JurisdictionAdmin(RuleAdmin):
    list_display = ["name", "slug", "minor_max_level", "unknown_age_is_adult"]


@admin.register(Region)
class RegionAdmin(RuleAdmin):
    list_display = ["name", "code", "group", "jurisdiction", "time_zone"]
    list_filter = ["group", "jurisdiction"]
    list_select_related = ["jurisdiction"]
    search_fields = ["name", "code"]


@admin.register(ProcessingRegion)
class ProcessingRegionAdmin(RuleAdmin):
    list_display = ["slug", "group"]


@admin.register(TransferInstrument)
class TransferInstrumentAdmin(RuleAdmin):
    list_display = ["name", "slug", "valid_until"]


@admin.register(ResidencyRule)
class ResidencyRuleAdmin(RuleAdmin):
    list_display = ["slug", "subject_group", "processing_group", "data_categories", "instrument"]
    list_select_related = ["instrument"]


@admin.register(SensitiveCategory)
class SensitiveCategoryAdmin(RuleAdmin):
    list_display = ["name", "slug"]


@admin.register(Bundle)
class BundleAdmin(ReadOnlyAdmin):
    list_display = ["__str__", "reason", "actor", "created_at"]
    fields = ["revision", "reason", "actor", "created_at", "data_shown"]
    readonly_fields = ["data_shown"]

    @admin.display(description="Data")
    def data_shown(self, bundle: Bundle) -> str:
        return _pretty(bundle.data)


@admin.register(Activation)
class ActivationAdmin(ReadOnlyAdmin):
    list_display = ["activated_at", "bundle", "reason", "actor"]
    list_select_related = ["bundle"]


@admin.register(ServiceCredential)
class ServiceCredentialAdmin(ReadOnlyAdmin):
    list_display = ["name", "scopes", "created_at", "expires_at", "revoked_at"]
    exclude = ["token_hash"]
    actions = ("revoke",)

    @admin.action(description="Revoke: refused from the next request on")
    def revoke(self, request: HttpRequest, chosen: QuerySet[ServiceCredential]) -> None:
        for credential in chosen:
            credentials.revoke_credential(credential=credential, actor=f"officer:{request.user.get_username()}")
            messages.success(request, f"{credential} is revoked.")


@admin.register(Decision)
class DecisionAdmin(ReadOnlyAdmin):
    list_display = ["decided_at", "outcome", "action", "purpose", "level", "why", "caller"]
    list_filter = ["outcome", "action", "purpose", "level"]
    search_fields = ["=id", "caller"]
    search_help_text = "Paste a decision id."
    fields = [
        "id", "decided_at", "caller", "action", "purpose", "outcome", "level", "why_in_words", "bundle_revision",
        "entry_shown",
    ]  # fmt: skip
    readonly_fields = ["why_in_words", "entry_shown"]
    show_full_result_count = False

    @admin.display(description="Reasons")
    def why(self, decision: Decision) -> str:
        return ", ".join(decision.reasons) or "—"

    @admin.display(description="Why")
    def why_in_words(self, decision: Decision) -> str:
        lines = ((reasons.for_officer(code), code) for code in decision.reasons)
        return format_html_join("", "<div>{} <code>{}</code></div>", lines)

    @admin.display(description="Entry, as it was written")
    def entry_shown(self, decision: Decision) -> str:
        return _pretty(decision.entry)


def _pretty(document: str) -> str:
    return format_html("<pre>{}</pre>", json.dumps(json.loads(document), indent=2, ensure_ascii=False))
