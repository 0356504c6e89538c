"""Page of the frequency caps: how often an item may be shown to one person."""

from django.contrib import admin
from unfold.decorators import display

from policies.admin.rules import PurposesForm, ScopedRuleAdmin
from policies.models import FrequencyCap


class CapForm(PurposesForm):
    class Meta:
        labels = {"slug": "Short name", "about": "About", "most": "At most (times)", "days": "In (days)"}
        help_texts = {
            "about": "Counting needs “showings” among the purpose's data, and the person's permission. Where it is not "
            "permitted, promotions under a cap are not shown, and items are not capped.",
            "most": "1 to 100 times to the same person.",
            "days": "1 to 31 days, today among them.",
        }


@admin.register(FrequencyCap)
class FrequencyCapAdmin(ScopedRuleAdmin):
    form = CapForm
    list_display = ["slug", "said", "what_for", "reason"]
    fields = ["slug", "about", "purposes", "most", "days", "reason"]

    @display(description="At most")
    def said(self, cap: FrequencyCap) -> str:
        what = "a promotion" if cap.about == FrequencyCap.About.PROMOTIONS else "an item"
        return f"{what} {cap.most} times in {cap.days} days"
