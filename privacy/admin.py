from typing import Any

from django.contrib import admin
from django.forms import ModelForm
from django.http import HttpRequest
from unfold.admin import ModelAdmin

from audit import trail
from common import policy_data
from common.read_only_admin import ReadOnlyAdmin
from privacy.models import Disposal, PrivacyBudget, Release, RetentionSchedule


@admin.register(RetentionSchedule)
class RetentionScheduleAdmin(ModelAdmin):  # type: ignore[misc]  # unfold ships no types
    list_display = ["purpose", "days", "is_active"]
    list_select_related = ["purpose"]

    @admin.display(description="Kept for")
    def days(self, schedule: RetentionSchedule) -> str:
        return f"{schedule.retain_for.days} days"

    def save_model(self, request: HttpRequest, obj: RetentionSchedule, form: "ModelForm[Any]", change: bool) -> None:
        actor = f"officer:{request.user.get_username()}"
        super().save_model(request, obj, form, change)
        trail.record("retention.changed", obj.purpose.slug, actor=actor, details={"days": obj.retain_for.days})
        policy_data.changed(reason=f"retention of {obj.purpose.slug}", actor=actor)


@admin.register(Disposal)
class DisposalAdmin(ReadOnlyAdmin):
    list_display = ["queued_at", "reason", "purpose", "status", "rows_removed", "finished_at"]
    list_filter = ["status", "reason", "purpose"]
    list_select_related = ["purpose"]
    search_fields = ["subject_ref", "id"]

    @admin.display(description="Rows removed")
    def rows_removed(self, disposal: Disposal) -> int:
        return disposal.total_removed


@admin.register(PrivacyBudget)
class PrivacyBudgetAdmin(ReadOnlyAdmin):
    list_display = ["data_set", "epsilon_total", "epsilon_spent", "left"]

    @admin.display(description="Epsilon left")
    def left(self, budget: PrivacyBudget) -> Any:
        return budget.epsilon_left


@admin.register(Release)
class ReleaseAdmin(ReadOnlyAdmin):
    list_display = ["statistic", "published_at", "spend"]
    list_select_related = ["spend"]
