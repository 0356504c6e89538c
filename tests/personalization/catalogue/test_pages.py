"""The catalogue's pages: an officer's item is held to the same rules, and removing one keeps what people did."""

import re
from typing import Any

import pytest

from audit.models import AuditEvent
from personalization.catalogue import writing
from personalization.catalogue.writing import Change
from personalization.models import Item

pytestmark = pytest.mark.django_db
FORM = {
    "title": "<b>Wine</b>", "slug": "wine", "description": "", "creator": "", "categories": "wine, drinks",
    "is_active": "on", "price": "12.50", "currency": "EUR", "stock": "3", "min_age": "18",
    "legal_flags": ["alcohol"], "restricted_regions": "US-UT, SA", "keeper": "",
}  # fmt: skip
PAGE = "/admin/personalization/item/"


def test_an_item_is_added_and_its_markup_is_text(officer: Any, send: Any) -> None:
    send(f"{PAGE}add/", **FORM)

    row = Item.objects.get()
    assert (row.pk, row.legal_flags, row.restricted_regions, str(row.price)) == (
        "wine", ["alcohol"], ["US-UT", "SA"], "12.50",
    )  # fmt: skip
    page = officer.get(PAGE).content.decode()
    assert "&lt;b&gt;Wine&lt;/b&gt;" in page
    assert "<b>Wine</b>" not in page
    assert AuditEvent.objects.get(action="item.created").details["legal_flags"] == ["alcohol"]


@pytest.mark.parametrize(
    "change",
    [
        {"slug": "a,b"},
        {"slug": "a\x01b"},
        {"slug": "a b"},
        {"currency": ""},
        {"currency": "EURO"},
        {"price": "-1"},
        {"price": ""},
        {"min_age": "99"},
        {"legal_flags": ["alcohl"]},
        {"restricted_regions": "Utah"},
    ],
)
def test_what_the_api_refuses_is_refused(officer: Any, change: dict[str, Any]) -> None:
    answer = officer.post(f"{PAGE}add/", {**FORM, **change})

    assert answer.status_code == 200, "the form with its errors"
    assert not Item.objects.exists()


def test_a_change_of_a_flag_is_in_the_trail(officer: Any, send: Any) -> None:
    send(f"{PAGE}add/", **FORM)

    send(f"{PAGE}wine/change/", **{**FORM, "legal_flags": []})

    details = AuditEvent.objects.get(action="item.changed").details
    assert (details["before"], details["after"]) == ({"legal_flags": ["alcohol"]}, {"legal_flags": []})


def test_what_a_service_changed_while_the_page_was_open_stays(officer: Any, send: Any) -> None:
    send(f"{PAGE}add/", **{**FORM, "legal_flags": [], "restricted_regions": ""})
    page = officer.get(f"{PAGE}wine/change/").content.decode()
    shown = dict(re.findall(r'<input type="hidden" name="(initial-\w+)" value="([^"]*)"', page))
    meanwhile = {"legal_flags": ["alcohol"], "restricted_regions": ["US-UT"], "is_active": False, "stock": 0}
    writing.write_all([Change("wine", "change", meanwhile)], actor="service:shop", service="service:shop")

    send(f"{PAGE}wine/change/", **{**FORM, "legal_flags": [], "restricted_regions": "", "title": "Red wine", **shown})

    row = Item.objects.get()
    assert (row.title, {name: getattr(row, name) for name in meanwhile}) == ("Red wine", meanwhile)


def test_a_used_item_is_removed_and_its_events_stay(officer: Any, send: Any, remember: Any) -> None:
    send(f"{PAGE}add/", **FORM)
    events = remember("customer-1", ["wine"])

    assert officer.post(f"{PAGE}wine/delete/", {"post": "yes"}).status_code == 302

    assert Item.objects.get().removed_at is not None
    events[0].refresh_from_db()
    officer.get(PAGE)  # says once that it was done
    assert "Wine" not in officer.get(PAGE).content.decode()
    assert AuditEvent.objects.filter(action="item.removed", actor__startswith="officer:").count() == 1
