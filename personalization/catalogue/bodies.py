"""Items as requests and files state them, and as answers show them."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import Field

from common.http.rest import Body
from consent.register.jurisdictions.clocks import countries
from personalization.catalogue.models import OLDEST_MIN_AGE, Item
from personalization.catalogue.writing import Change
from personalization.intake.bodies import Amount, Currency, Slug
from policies.models.display import LEGAL_FLAGS

# Texts are kept as they are, markup included; every page and answer escapes them.
Title = Annotated[str, Field(min_length=1, max_length=160, pattern=r"^[^\x00-\x1f\x7f]*$")]
Description = Annotated[str, Field(max_length=2000, pattern=r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f]*$")]
Categories = Annotated[list[Slug], Field(max_length=20)]
Flag = Annotated[str, Field(pattern=f"^({'|'.join(sorted(LEGAL_FLAGS))})$")]
# A name of no country would restrict nothing.
Place = Annotated[str, Field(pattern=f"^({'|'.join(sorted(countries()))})(-[A-Z0-9]{{1,3}})?$")]


class Price(Body):
    """List price: what everybody pays whose price is not personalized."""

    amount: Amount
    currency: Currency


class ItemBody(Body):
    """What is stated of an item; of what is left out, what was stated before stays.

    ``null`` takes back a ``price``, a ``stock`` or a ``min_age``; of all others it is as if left out. A new item needs
    its ``title``. With ``offered: false`` an item is not recommended. ``stock`` 0: not recommended, unless a rule of
    display says otherwise. ``promoted``: its place is paid for; it is marked as advertising where it is shown.
    ``editorial``: chosen by editors.

    ``min_age``, ``legal_flags`` and ``restricted_regions`` are what the law says of the item. It is shown to no one who
    is not known to be old enough, and to no one in a restricted region. An item with a legal flag that no rule of
    display is about is shown to no one.
    """

    title: Title | None = None
    description: Description | None = None
    categories: Categories | None = None
    offered: bool | None = None
    creator: Slug | None = None
    price: Price | None = None
    stock: Annotated[int, Field(ge=0, le=2**31 - 1)] | None = None
    editorial: bool | None = None
    promoted: bool | None = None
    min_age: Annotated[int, Field(ge=1, le=OLDEST_MIN_AGE)] | None = None
    legal_flags: Annotated[list[Flag], Field(max_length=len(LEGAL_FLAGS))] | None = None
    restricted_regions: Annotated[list[Place], Field(max_length=300)] | None = None

    def stated(self) -> dict[str, Any]:
        """Return the columns that are stated, with their values."""
        found = {_COLUMNS[name]: getattr(self, name) for name in self.model_fields_set & _COLUMNS.keys()}
        kept = {name: value for name, value in found.items() if value is not None or name in _TAKEN_BACK}
        if "price" in self.model_fields_set:
            price = self.price
            kept["price"] = Decimal(price.amount).quantize(_CENT) if price else None
            kept["currency"] = price.currency if price else ""
        for name in ("legal_flags", "restricted_regions"):
            if name in kept:
                kept[name] = sorted(set(kept[name]))
        return kept


MOST = 1_000
# As the document of the API says it: an entry that is wrong is answered in its place, so it is no fault of the body.
BATCH_SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["items"],
    "additionalProperties": False,
    "properties": {
        "items": {
            "type": "array",
            "minItems": 1,
            "maxItems": MOST,
            "items": {"type": "object", "additionalProperties": {"$ref": "#/components/schemas/JsonValue"}},
            "description": "Members of an item, with its `id` and an `action`: put, change or remove",
        }
    },
    "example": {"items": [{"id": "red-wine", "action": "change", "stock": 0}]},
}
_CENT = Decimal("0.01")
_COLUMNS: Mapping[str, str] = {
    "title": "title",
    "description": "description",
    "categories": "categories",
    "offered": "is_active",
    "creator": "creator",
    "stock": "stock",
    "editorial": "is_editorial",
    "promoted": "is_promoted",
    "min_age": "min_age",
    "legal_flags": "legal_flags",
    "restricted_regions": "restricted_regions",
}
_TAKEN_BACK = ("stock", "min_age")


class BatchEntry(ItemBody):
    """One change of a batch. ``remove`` takes the id alone; ``change`` is refused where there is no such item."""

    id: Slug
    action: Literal["put", "change", "remove"] = "put"

    def change(self) -> Change:
        return Change(self.id, self.action, {} if self.action == "remove" else self.stated())


class BatchBody(Body):
    """Changes of different items, each answered as it would be alone."""

    items: Annotated[list[dict[str, Any]], Field(min_length=1, max_length=MOST)]


class PriceAnswer(Body):
    amount: str
    currency: str


class ItemDocument(Body):
    """An item as it is stored. ``kept_by``: the service whose item it is; null: any with the scope may change it."""

    id: str
    title: str
    description: str
    categories: list[str]
    offered: bool
    creator: str | None
    price: PriceAnswer | None
    stock: int | None
    editorial: bool
    promoted: bool
    min_age: int | None
    legal_flags: list[str]
    restricted_regions: list[str]
    kept_by: str | None


def document(item: Item) -> dict[str, Any]:
    """Return an item as answers show it."""
    price = None if item.price is None else {"amount": f"{item.price:.2f}", "currency": item.currency}
    return {
        "id": item.pk,
        "title": item.title,
        "description": item.description,
        "categories": item.categories,
        "offered": item.is_active,
        "creator": item.creator or None,
        "price": price,
        "stock": item.stock,
        "editorial": item.is_editorial,
        "promoted": item.is_promoted,
        "min_age": item.min_age,
        "legal_flags": item.legal_flags,
        "restricted_regions": item.restricted_regions,
        "kept_by": item.keeper or None,
    }
