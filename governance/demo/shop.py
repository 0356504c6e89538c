"""Demonstration shop: one page of a business that uses the banner. Present where its site is registered."""

from dataclasses import dataclass
from decimal import Decimal

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.functional import Promise
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from consent.ledger.selectors import Descriptions
from consent.models import Site
from governance.demo.catalogue import INTERESTS
from governance.web.demonstration import SHOP

# What sells best, equal for all visitors: two things of each of six interests.
_ON_SHOW = ("coffee", "sourdough", "birds", "knitting", "night sky", "slow evenings")
_PRICES = ("38.00", "24.50", "12.90", "46.00", "9.80", "29.00", "18.40", "64.00", "15.20", "33.00", "22.60", "41.50")

_DEPARTMENTS = {
    "books": _("books"),
    "kitchen": _("kitchen"),
    "garden": _("garden"),
    "home": _("home"),
    "outdoors": _("outdoors"),
    "crafts": _("crafts"),
    "play": _("play"),
    "pantry": _("pantry"),
}


@dataclass(frozen=True)
class Product:
    title: str
    department: str
    interest: str
    price: Decimal

    @property
    def department_name(self) -> str | Promise:
        return _DEPARTMENTS.get(self.department, self.department)


def _products(*places: int) -> list[Product]:
    things = [(*INTERESTS[interest][place], interest) for place in places for interest in _ON_SHOW]
    return [
        Product(title=title, department=departments[0], interest=interest, price=Decimal(price))
        for (title, departments, interest), price in zip(things, _PRICES, strict=False)
    ]


def page(request: HttpRequest, site: Site) -> HttpResponse:
    """Answer the shop's page for the banner of ``site``."""
    # The second list is what may be chosen for a person who allows recommendations.
    context = {
        "site": SHOP,
        "business_name": settings.BUSINESS_NAME,
        "products": _products(0, 1),
        "purposes": _named(site),
        "more": _products(2, 4),
    }
    return render(request, "shop.html", context)


def _named(site: Site) -> list[dict[str, str]]:
    """Return what the banner asks about, for the script to name it in the visitor's language."""
    described = Descriptions(get_language() or "en")
    found = [(purpose.slug, described.of(purpose)) for purpose in site.purposes.filter(is_active=True)]
    return [{"slug": slug, "name": own.name, "language": own.locale} for slug, own in found]
