"""Page of the frequency caps: how often an item may be shown to one person."""

from django.contrib import admin
from django.forms import ModelForm
from unfold.decorators import display

from common.admin_pages.forms import CommaListField
from policies.admin.rules import RuleAdmin
from policies.models import FrequencyCap


class CapForm(ModelForm):  # type: ignore[type-arg]  # not subscriptable at run time
    purposes = CommaListField(
        required=False, label="Purposes", help_text="With all that are narrower, separated by commas. Empty: all."
    )

    class Meta:
        labels = {"slug": "Short name", "about": "About", "most": "At most (times)", "days": "In (days)"}
        help_texts = {
            "about": "Counting needs “showings” among the purpose's data, and the person's permission. Where it is not "
            "permitted, promotions under a cap are not shown, and items are not capped.",
            "most": "1 to 100 times to the same person.",
            "days": "1 to 31 days, today among them.",
        }


@admin.register(FrequencyCap)
class FrequencyCapAdmin(RuleAdmin):
    form = CapForm
    list_display = ["slug", "said", "what_for", "reason"]
    fields = ["slug", "about", "purposes", "most", "days", "reason"]

    @display(description="At most")
    def said(self, cap: FrequencyCap) -> str:
        what = "a promotion" if cap.about == FrequencyCap.About.PROMOTIONS else "an item"
        return f"{what} {cap.most} times in {cap.days} days"

    @display(description="Purposes")
    def what_for(self, cap: FrequencyCap) -> str:
        return ", ".join(cap.purposes) or "All"
