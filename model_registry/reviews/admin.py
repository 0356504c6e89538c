from django.contrib import admin
from django.forms import ModelForm
from django.http import HttpRequest

from common.admin_pages.model_admin import ModelAdmin
from model_registry.reviews.models import ReviewRule
from oversight.admin.forms import DraftsChanges


class RuleForm(ModelForm):  # type: ignore[type-arg]  # not subscriptable at run time
    class Meta:
        labels = {
            "slug": "Short name",
            "category": "Data category",
            "from_level": "From this level on",
            "confidence_below": "Confidence below, in per cent",
            "share": "Share of people, in per cent",
            "four_eyes": "Two reviewers",
            "due_hours": "Hours until it is escalated",
            "serve_hours": "Hours that an approved output is shown",
            "is_active": "In use",
        }
        help_texts = {
            "purpose": "Only outputs for this purpose. Empty: all.",
            "category": "Only outputs that use this kind of data. Empty: all.",
            "confidence_below": "Only outputs the model is less sure of. Empty: all.",
            "share": "The same people each time, by a stable hash.",
            "four_eyes": "A second reviewer decides without seeing the verdict of the first.",
        }


@admin.register(ReviewRule)
class ReviewRuleAdmin(DraftsChanges, ModelAdmin):
    form = RuleForm
    list_display = ["slug", "purpose", "category", "from_level", "confidence_below", "share", "four_eyes", "is_active"]
    list_filter = ["is_active"]
    list_select_related = ["purpose"]
    fields = [
        "slug", "purpose", "category", "from_level", "confidence_below", "share", "four_eyes", "due_hours",
        "serve_hours", "is_active",
    ]  # fmt: skip

    def get_readonly_fields(self, request: HttpRequest, obj: ReviewRule | None = None) -> list[str]:
        return ["slug"] if obj else []

    def has_delete_permission(self, request: HttpRequest, obj: ReviewRule | None = None) -> bool:
        return False  # a rule is switched off
