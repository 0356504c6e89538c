"""Form of a made-up person. Without names or ids: what is typed here is about no one."""

from collections.abc import Iterable, Sequence
from typing import Any

from django import forms
from django.forms import BaseFormSet, formset_factory
from django.http import QueryDict

from common.levels import LEVELS
from consent.models import AgeBand, Purpose
from consent.register import words
from personalization.intake.bodies import MOST_SECONDS
from personalization.models import Event, Item, PopularItem
from personalization.playground.people import CHOICES, Deed, MadeUp
from personalization.training import PURPOSE
from policies.models import Region

ROWS = 8
_SUGGESTED = 200
_STARS = range(1, 6)


class PersonForm(forms.Form):
    purpose = forms.ChoiceField(label="Purpose")
    region = forms.ChoiceField(label="Lives in")
    age_band = forms.ChoiceField(label="Age", choices=AgeBand.choices)
    choice = forms.ChoiceField(label="What they answered to the purpose", choices=list(CHOICES.items()))
    most = forms.ChoiceField(label="Highest level they allow")
    group = forms.ChoiceField(label="Group by their own data", required=False)
    gpc = forms.BooleanField(label="Their browser sends an opt-out signal (GPC)", required=False)

    def __init__(
        self,
        data: QueryDict | None = None,
        *,
        groups: Sequence[tuple[str, str]] = (),
        initial: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(data, initial=initial, label_suffix="")
        if groups:
            _offer(self, "group", [("", "None"), *groups])
        else:
            del self.fields["group"]
        _offer(self, "purpose", ((each.slug, each.name) for each in purposes()))
        self.fields["purpose"].initial = PURPOSE
        regions = list(Region.objects.values_list("code", "name"))
        _offer(self, "region", [("", "Not known"), *regions])
        self.fields["region"].initial = regions[0][0] if regions else ""
        _offer(self, "most", ((level, str(words.LEVELS[level])) for level in reversed(LEVELS)))
        self.fields["region"].required = False


class DeedForm(forms.Form):
    """One line of what the person did; a line without an item says nothing."""

    item = forms.CharField(label="Item", required=False, max_length=160, widget=forms.TextInput({"list": "offered"}))
    kind = forms.ChoiceField(label="What they did", choices=Event.Kind.choices, initial=Event.Kind.LIKE)
    value = forms.IntegerField(
        label="Stars or seconds",
        required=False,
        min_value=1,
        max_value=MOST_SECONDS,
        help_text="Of a rating, of time spent",
    )
    is_now = forms.BooleanField(label="In this visit", required=False)

    def clean(self) -> dict[str, Any]:
        found: dict[str, Any] = self.cleaned_data
        if found.get("item") and found.get("kind") == Event.Kind.RATING and found.get("value") not in _STARS:
            self.add_error("value", "A rating has 1 to 5 stars.")
        return found


class _Deeds(BaseFormSet):  # type: ignore[type-arg]  # not subscriptable at run time
    def clean(self) -> None:
        """Refuse items that the catalogue does not have. One statement."""
        named = [form.cleaned_data["item"] for form in self.forms if form.cleaned_data.get("item")]
        known = dict(Item.objects.filter(slug__in=named).values_list("slug", "title"))
        by_title = dict(Item.objects.filter(title__in=set(named) - known.keys()).values_list("title", "slug"))
        for form in self.forms:
            item = form.cleaned_data.get("item")
            if item and item not in known and item not in by_title:
                form.add_error("item", "The catalogue has no such item.")
            elif item in by_title:
                form.cleaned_data["item"] = by_title[item]


DeedForms = formset_factory(DeedForm, formset=_Deeds, extra=ROWS, max_num=ROWS, absolute_max=ROWS)


def _offer(form: forms.Form, name: str, choices: Iterable[tuple[str, str]]) -> None:
    form.fields[name].choices = list(choices)  # type: ignore[attr-defined]  # of a ChoiceField


def purposes() -> list[Purpose]:
    """Return the purposes that allow to personalize."""
    return list(Purpose.objects.filter(is_active=True, actions__contains=["personalize"]))


def suggested() -> list[tuple[str, str]]:
    """Return items to type, by name in the API with their titles: the most popular first, else any on offer."""
    popular = list(PopularItem.objects.filter(item__is_active=True).values_list("item_id", "item__title")[:_SUGGESTED])
    return popular or list(Item.objects.filter(is_active=True).values_list("slug", "title")[:_SUGGESTED])


def made_up(person: PersonForm, deeds: Iterable[DeedForm]) -> MadeUp:
    """Return the person of valid forms."""
    done = [
        Deed(row["item"], row["kind"], row.get("value"), row["is_now"])
        for row in (form.cleaned_data for form in deeds)
        if row.get("item")
    ]
    return MadeUp(**person.cleaned_data, deeds=tuple(done))
