"""The demonstration's shop is there with its site, and nowhere else."""

import pytest
from django.db import OperationalError
from django.test import Client

from consent.models import Site
from governance.demo.register import SHOP
from governance.web import demonstration

pytestmark = pytest.mark.django_db


def test_the_shop_loads_the_banner_and_shows_what_sells_best(register_in_force):
    page = Client().get("/shop/")

    assert page.status_code == 200
    text = page.content.decode()
    assert f'<script src="/assent.js" data-site="{SHOP}" defer></script>' in text
    assert text.partition("<template")[0].count('class="product"') == 12
    assert not page.cookies
    assert 'href="/shop/"' in Client().get("/").content.decode()


def test_the_front_page_needs_no_database(register_in_force, monkeypatch):
    def unreachable(slug):
        raise OperationalError

    monkeypatch.setattr(demonstration.banner, "active_site", unreachable)

    assert Client().get("/").status_code == 200


@pytest.mark.parametrize("is_registered", [True, False])
def test_without_its_site_there_is_no_shop(register_in_force, is_registered):
    if is_registered:
        Site.objects.update(is_active=False)
    else:
        Site.objects.all().delete()

    assert Client().get("/shop/").status_code == 404
    assert 'href="/shop/"' not in Client().get("/").content.decode()
