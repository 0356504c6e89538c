"""The catalogue for officers: what services and files brought, and its flags."""

from collections.abc import Iterable
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.forms import ModelForm
from django.http import HttpRequest
from pydantic import TypeAdapter, ValidationError
from unfold.decorators import display

from common import actors
from common.admin_pages.display import NOTHING, badge
from common.admin_pages.forms import CommaListField, Ticked
from common.admin_pages.model_admin import ModelAdmin
from personalization.catalogue import writing
from personalization.catalogue.bodies import Place
from personalization.catalogue.models import OLDEST_MIN_AGE, Item
from personalization.catalogue.writing import Change
from personalization.intake.bodies import Currency
from policies.models.display import LEGAL_FLAGS

_PLACE: TypeAdapter[str] = TypeAdapter(Place)
_CURRENCY: TypeAdapter[str] = TypeAdapter(Currency)


class ItemForm(ModelForm):  # type: ignore[type-arg]  # not subscriptable at run time
    categories = CommaListField(free_text=True, required=False, help_text="Separated by commas: Games, For two.")
    legal_flags = Ticked(
        LEGAL_FLAGS.items(),
        label="Legal flags",
        help_text="What the law has rules about. A flag that no rule of display is about hides the item.",
    )
    restricted_regions = CommaListField(
        free_text=True,
        required=False,
        label="Not shown in",
        help_text="Codes of countries and their parts, separated by commas: DE, US-UT.",
    )

    class Meta:
        labels = {
            "slug": "Name in the API",
            "is_active": "Offered",
            "price": "List price",
            "stock": "In stock",
            "is_editorial": "Chosen by editors",
            "is_promoted": "Promoted",
            "min_age": "From age",
            "keeper": "Kept by",
        }
        help_texts = {
            "creator": "Who made it, by the name in the API. Items of one who opted out are not recommended.",
            "is_active": "Switched off, it is not recommended.",
            "currency": "Three letters: EUR.",
            "stock": "Empty: not counted. 0: not recommended, unless a rule of display says otherwise.",
            "is_promoted": "Its place is paid for. It is marked as advertising where it is shown.",
            "min_age": "It is shown only to people who are known to be as old. Empty: to all.",
            "keeper": "The service that may change it. Empty: every one with the scope “items”.",
        }

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        # What the officer changed is found from what the page showed, where it is posted with the form.
        is_from_page = not self.is_bound or self.add_initial_prefix("title") in self.data
        for field in self.fields.values():
            field.show_hidden_initial = is_from_page

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        _check(self, cleaned)
        return cleaned


def _check(form: ItemForm, cleaned: dict[str, Any]) -> None:
    """Refuse what the API refuses too."""
    wrong = [each for each in cleaned.get("restricted_regions", []) if not _is(_PLACE, each)]
    if wrong:
        form.add_error("restricted_regions", "Only codes of countries and their parts: DE, US-UT.")
    if (cleaned.get("price") is None) != (not cleaned.get("currency")):
        form.add_error("currency", "A list price has a currency, and a currency a list price.")
    elif cleaned.get("currency") and not _is(_CURRENCY, cleaned["currency"]):
        form.add_error("currency", "Three capital letters by ISO 4217: EUR.")
    if cleaned.get("price") is not None and cleaned["price"] < 0:
        form.add_error("price", "A price is 0 or more.")
    if not 1 <= (cleaned.get("min_age") or 1) <= OLDEST_MIN_AGE:
        form.add_error("min_age", f"An age from 1 to {OLDEST_MIN_AGE}.")
    if "legal_flags" in cleaned:
        cleaned["legal_flags"] = sorted(cleaned["legal_flags"])


def _is(kind: TypeAdapter[str], text: str) -> bool:
    try:
        kind.validate_python(text)
    except ValidationError:
        return False
    return True


@admin.register(Item)
class ItemAdmin(ModelAdmin):
    form = ItemForm
    empty_text = "Services send what can be recommended through the API; officers may add it one by one."
    list_display = ["title", "kinds", "marks", "offered"]
    list_filter = ["is_active", "is_promoted", "is_editorial"]
    search_fields = ["title", "slug"]
    fields = [
        "title", "slug", "description", "creator", "categories", "is_active", "price", "currency", "stock",
        "is_editorial", "is_promoted", "min_age", "legal_flags", "restricted_regions", "keeper",
    ]  # fmt: skip

    def get_readonly_fields(self, request: object, obj: Item | None = None) -> list[str]:
        return ["slug"] if obj else []

    def get_queryset(self, request: HttpRequest) -> QuerySet[Item]:
        rows: QuerySet[Item] = super().get_queryset(request)
        return rows.filter(removed_at=None)

    @display(description="Categories")
    def kinds(self, item: Item) -> str:
        return ", ".join(item.categories) or NOTHING

    @display(description="Marks")
    def marks(self, item: Item) -> str:
        named = [LEGAL_FLAGS.get(flag, flag) for flag in item.legal_flags]
        named += [f"From {item.min_age}"] if item.min_age else []
        named += ["Promoted"] if item.is_promoted else []
        return ", ".join(named) or NOTHING

    @display(description="State", ordering="is_active")
    def offered(self, item: Item) -> str:
        return badge("Offered", "good") if item.is_active else badge("Not offered")

    def save_model(self, request: HttpRequest, obj: Item, form: Any, change: bool) -> None:
        """Write what the officer changed: a service may have changed the rest since the page was opened."""
        stated = {name: form.cleaned_data[name] for name in form.changed_data if name != "slug"}
        written = Change(obj.pk, "change" if change else "put", stated)
        writing.write_all([written], actor=actors.officer(request), service=None)

    def delete_model(self, request: HttpRequest, obj: Item) -> None:
        writing.write([Change(obj.pk, "remove")], actor=actors.officer(request), service=None)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Item]) -> None:
        changes = [Change(pk, "remove") for pk in queryset.values_list("pk", flat=True)]
        writing.write(changes, actor=actors.officer(request), service=None)

    def get_deleted_objects(self, objs: Iterable[Any], request: HttpRequest) -> Any:
        """Name only the items: what is about them stays, and so do they as names, until it has gone."""
        return [str(item) for item in objs], {"items": len(list(objs))}, set(), []
