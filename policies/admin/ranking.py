"""Page of the rules of ranking: what the lists of a purpose may be made of."""

from django import forms
from django.contrib import admin
from unfold.decorators import display
from unfold.widgets import UnfoldAdminSelectWidget

from consent.models import Purpose
from policies.admin.rules import RuleAdmin
from policies.models import RankingRule


def _purposes() -> list[tuple[str, str]]:
    return [(slug, f"{name} ({slug})") for slug, name in Purpose.objects.values_list("slug", "name")]


class RankingForm(forms.ModelForm):  # type: ignore[type-arg]  # not subscriptable at run time
    purpose = forms.ChoiceField(
        choices=_purposes, widget=UnfoldAdminSelectWidget, help_text="Without a rule, everything below is off."
    )

    class Meta:
        labels = {
            "serves_visitors": "Visitors without a record",
            "segment_list": "List of a group",
            "variety": "Variety, per cent",
            "novelty": "Novelty, per cent",
            "balance": "Balance, per cent",
            "tried_share": "Tried out, per cent of places",
            "small_creator_share": "Small creators, per cent of places at least",
            "small_creator_items": "Items of a small creator at most",
        }
        help_texts = {
            "serves_visitors": (
                "They get lists from what they look at in this visit. It is stored nowhere. Not where consent is the "
                "lawful basis."
            ),
            "segment_list": (
                "Whose list people get at the level of groups. Groups by what people choose are formed at the next "
                "training, of people whose data it may use; others keep the list of their region and age band."
            ),
            "variety": "Weight of items of different kinds in a personal list. What is left of 100 is relevance.",
            "novelty": "Weight of items that few people know.",
            "balance": "Weight of showing kinds in the proportions of the person's own history.",
            "tried_share": (
                "Up to 20. Places for items that are tried out, to learn whether people like them; they say so. Never "
                "items of sensitive kinds, or that a rule of display or the law restricts."
            ),
            "small_creator_share": "Up to 50. As far as small creators have items among the best for the person.",
            "small_creator_items": "A creator with so many items on offer, or fewer, is small.",
        }


@admin.register(RankingRule)
class RankingRuleAdmin(RuleAdmin):
    form = RankingForm
    fixed = ("purpose",)
    list_display = [
        "purpose",
        "visitors",
        "segment_list",
        "variety",
        "novelty",
        "balance",
        "tried_share",
        "small_creator_share",
    ]
    fields = [
        "purpose", "serves_visitors", "segment_list", "variety", "novelty", "balance", "tried_share",
        "small_creator_share", "small_creator_items",
    ]  # fmt: skip

    @display(description="Visitors without a record", boolean=True)
    def visitors(self, rule: RankingRule) -> bool:
        return rule.serves_visitors
