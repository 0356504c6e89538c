"""Page of the rules of display: items that some people must not be shown."""

from django.contrib import admin
from unfold.decorators import display

from common.admin_pages.forms import CommaListField, Ticked
from policies.admin.rules import PlacesForm, ScopedRuleAdmin
from policies.models import DisplayRule
from policies.models.display import AGE_BANDS, ITEM_FLAGS


class DisplayForm(PlacesForm):
    item_categories = CommaListField(
        free_text=True,
        required=False,
        label="Item categories",
        help_text="As the catalogue spells them, separated by commas: toys, knives.",
    )
    item_flags = Ticked(
        ITEM_FLAGS.items(),
        label="Item flags",
        help_text="As services and officers mark items. What has a flag that no rule speaks about in a region, for a "
        "purpose, is hidden there from everybody.",
    )
    age_bands = Ticked(
        [(band, band.capitalize()) for band in AGE_BANDS],
        label="Hidden from",
        help_text="A child is a minor too. Everybody whose age is not known is among them. None ticked: everybody.",
    )

    class Meta:
        labels = {
            "slug": "Short name",
            "effect": "What it does",
            "promotions_only": "Promoted items only",
            "from_day": "First day",
            "until_day": "Last day",
            "reason": "Reason",
        }
        help_texts = {
            "effect": "“Show” is about flags: items with them need no other rule in these regions, for these purposes.",
            "promotions_only": "Of the categories and flags named; of all promoted items where none is named.",
            "from_day": "From its first moment anywhere on Earth. Empty: at once.",
            "until_day": "To its last moment anywhere on Earth. Empty: it does not end.",
            "reason": "The law or the decision of the business that it follows.",
        }


@admin.register(DisplayRule)
class DisplayRuleAdmin(ScopedRuleAdmin):
    form = DisplayForm
    list_display = ["slug", "what_it_does", "whom", "where", "what_for", "from_day", "until_day", "reason"]
    fields = [
        "slug", "effect", "item_categories", "item_flags", "promotions_only", "age_bands", "regions", "purposes",
        "from_day", "until_day", "reason",
    ]  # fmt: skip

    @display(description="What it does")
    def what_it_does(self, rule: DisplayRule) -> str:
        named = ", ".join([*rule.item_categories, *(ITEM_FLAGS.get(flag, flag) for flag in rule.item_flags)])
        what = f"promotions of {named}" if named else "promotions"
        verb = "Shows" if rule.effect == DisplayRule.Effect.SHOW else "Hides"
        return f"{verb} {what if rule.promotions_only else named}"

    @display(description="For whom")
    def whom(self, rule: DisplayRule) -> str:
        return ", ".join([*rule.age_bands, "unknown age"]) if rule.age_bands else "Everybody"
