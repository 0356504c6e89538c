"""Page of the rules of masking: fields of an item that an answer about some people does not hold."""

from django.contrib import admin
from unfold.decorators import display

from common.admin_pages.forms import Ticked
from policies.admin.rules import PlacesForm, ScopedRuleAdmin
from policies.models import MaskRule
from policies.models.display import AGE_BANDS
from policies.models.masking import ITEM_FIELDS


class MaskForm(PlacesForm):
    item_fields = Ticked(
        ITEM_FIELDS.items(),
        label="Masked fields",
        help_text="“Items of the person” and the reason in words name things that the person did. The id of an item, "
        "and what marks advertising and personal prices, cannot be masked.",
    )
    age_bands = Ticked(
        [(band, band.capitalize()) for band in AGE_BANDS],
        label="Masked for",
        help_text="A child is a minor too. Everybody whose age is not known is among them. None ticked: everybody.",
    )

    class Meta:
        labels = {"slug": "Short name", "reason": "Reason"}
        help_texts = {"reason": "The law or the decision of the business that it follows."}


@admin.register(MaskRule)
class MaskRuleAdmin(ScopedRuleAdmin):
    form = MaskForm
    list_display = ["slug", "what", "whom", "where", "what_for", "reason"]
    fields = ["slug", "item_fields", "age_bands", "regions", "purposes", "reason"]

    @display(description="Masks")
    def what(self, rule: MaskRule) -> str:
        return ", ".join(ITEM_FIELDS.get(field, field) for field in rule.item_fields)

    @display(description="For whom")
    def whom(self, rule: MaskRule) -> str:
        return ", ".join([*rule.age_bands, "unknown age"]) if rule.age_bands else "Everybody"
