from django.contrib import admin
from django.forms import ModelForm
from unfold.decorators import display

from common.admin_pages.display import NOTHING, badge
from common.admin_pages.forms import CommaListField
from common.admin_pages.model_admin import ModelAdmin
from common.admin_pages.read_only import ReadOnlyAdmin
from personalization.models import EventCount, Item


class ItemForm(ModelForm):  # type: ignore[type-arg]  # not subscriptable at run time
    categories = CommaListField(free_text=True, required=False, help_text="Separated by commas: Games, For two.")

    class Meta:
        labels = {"slug": "Name in the API", "is_active": "Offered"}
        help_texts = {
            "is_active": "Switched off, it is recommended to nobody; an item that people used cannot be deleted."
        }


@admin.register(Item)
class ItemAdmin(ModelAdmin):
    form = ItemForm
    list_display = ["title", "kinds", "offered"]
    list_filter = ["is_active"]
    search_fields = ["title", "slug"]
    fields = ["title", "slug", "categories", "is_active"]

    def get_readonly_fields(self, request: object, obj: Item | None = None) -> list[str]:
        return ["slug"] if obj else []

    @display(description="Categories")
    def kinds(self, item: Item) -> str:
        return ", ".join(item.categories) or NOTHING

    @display(description="State", ordering="is_active")
    def offered(self, item: Item) -> str:
        return badge("Offered", "good") if item.is_active else badge("Not offered")


@admin.register(EventCount)
class EventCountAdmin(ReadOnlyAdmin):
    list_display = ["day", "purpose", "kind", "what", "entries", "people"]
    list_filter = ["purpose", "kind"]
    list_select_related = ["item"]
    fields = ["day", "purpose", "kind", "what", "entries", "people"]
    readonly_fields = ["what"]

    @display(description="Item", ordering="item")
    def what(self, count: EventCount) -> str:
        return count.item.title if count.item else "Others, of too few people each"
