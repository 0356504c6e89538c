from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.forms import ModelForm
from django.http import HttpRequest
from unfold.admin import ModelAdmin

from common.read_only_admin import ReadOnlyAdmin
from consent import register
from consent.models import ConsentRecord, DataSubject, Notice, Purpose


def officer(request: HttpRequest) -> str:
    return f"officer:{request.user.get_username()}"


@admin.register(Purpose)
class PurposeAdmin(ModelAdmin):  # type: ignore[misc]  # unfold ships no types
    list_display = ["name", "slug", "legal_basis", "max_level", "parent", "is_active"]
    list_filter = ["legal_basis", "is_active"]
    list_select_related = ["parent"]
    search_fields = ["name", "slug"]
    fieldsets = [
        (None, {"fields": ["name", "slug", "benefit", "legal_basis", "parent", "is_active", "order"]}),
        ("What is allowed", {"fields": ["actions", "max_level", "data_categories", "recipients", "channels"]}),
        ("How long a consent lasts", {"fields": ["consent_valid_for"]}),
    ]

    def get_readonly_fields(self, request: HttpRequest, obj: Purpose | None = None) -> list[str]:
        return ["slug"] if obj else []

    def has_delete_permission(self, request: HttpRequest, obj: Purpose | None = None) -> bool:
        return False  # records point to it for ever; make it inactive instead

    def save_model(self, request: HttpRequest, obj: Purpose, form: "ModelForm[Any]", change: bool) -> None:
        register.save_purpose(obj, actor=officer(request))


@admin.register(Notice)
class NoticeAdmin(ModelAdmin):  # type: ignore[misc]  # unfold ships no types
    list_display = ["purpose", "version", "locale", "is_material", "published_at"]
    list_filter = ["purpose", "locale"]
    list_select_related = ["purpose"]
    fields = ["purpose", "locale", "text", "is_material"]

    def has_change_permission(self, request: HttpRequest, obj: Notice | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Notice | None = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: Notice, form: "ModelForm[Any]", change: bool) -> None:
        published = register.publish_notice(
            purpose=obj.purpose,
            text=obj.text,
            locale=obj.locale,
            is_material=obj.is_material,
            actor=officer(request),
        )
        obj.pk, obj.version = published.pk, published.version


class RecordInline(admin.TabularInline):  # type: ignore[type-arg]  # not subscriptable at run time
    model = ConsentRecord
    fields = ["recorded_at", "purpose", "state", "notice_version", "source", "actor", "expires_at"]
    readonly_fields = ("recorded_at", "purpose", "state", "notice_version", "source", "actor", "expires_at")
    extra = 0
    can_delete = False
    ordering = ["-subject_revision"]

    def has_add_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False

    def get_queryset(self, request: HttpRequest) -> QuerySet[ConsentRecord]:
        return super().get_queryset(request).select_related("purpose")


@admin.register(DataSubject)
class DataSubjectAdmin(ReadOnlyAdmin):
    list_display = ["__str__", "region", "age_band", "revision", "updated_at", "restricted", "held"]
    list_filter = ["region", "age_band", "restricted", "held"]
    search_fields = ["ref"]
    search_help_text = "Paste a pseudonym, for example from a decision or an audit event."
    fields = ["ref", "region", "age_band", "revision", "restricted", "held", "created_at", "updated_at"]
    inlines = [RecordInline]
    show_full_result_count = False


@admin.register(ConsentRecord)
class ConsentRecordAdmin(ReadOnlyAdmin):
    list_display = ["recorded_at", "purpose", "state", "subject", "source", "actor", "notice_version"]
    list_filter = ["state", "purpose", "source"]
    list_select_related = ["purpose", "subject"]
    search_fields = ["subject__ref", "id"]
    fields = [
        "id", "recorded_at", "subject", "subject_revision", "purpose", "state", "explicit", "notice_version",
        "source", "actor", "expires_at", "supersedes", "digest_hex",
    ]  # fmt: skip
    readonly_fields = ["digest_hex"]
    show_full_result_count = False

    @admin.display(description="Digest, chained per person")
    def digest_hex(self, record: ConsentRecord) -> str:
        return bytes(record.digest).hex()
