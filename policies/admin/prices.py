"""Page of the rules of prices: how far a personal price may differ from the list price."""

from django.contrib import admin
from unfold.decorators import display

from policies.admin.rules import PlacesForm, ScopedRuleAdmin
from policies.models import PriceRule


class PriceForm(PlacesForm):
    class Meta:
        labels = {"slug": "Short name", "most_below": "Most below (%)", "most_above": "Most above (%)"}
        help_texts = {
            "most_below": "Of the list price. All rules about a person bind: the narrowest counts.",
            "most_above": "Of the list price. 0: never above it.",
            "reason": "The law or the decision of the business that it follows.",
        }


@admin.register(PriceRule)
class PriceRuleAdmin(ScopedRuleAdmin):
    form = PriceForm
    list_display = ["slug", "bounds", "where", "reason"]
    fields = ["slug", "regions", "purposes", "most_below", "most_above", "reason"]

    @display(description="Personal prices")
    def bounds(self, rule: PriceRule) -> str:
        return f"{100 - rule.most_below} to {100 + rule.most_above} % of the list price"
