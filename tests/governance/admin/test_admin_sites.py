"""An officer registers a site that asks through the banner."""

import pytest
from django.test import Client

from audit.models import AuditEvent
from consent.models import Purpose, Site
from tests.helpers.registers import second_newest

pytestmark = pytest.mark.django_db
ADD = "/admin/consent/site/add/"


def _form(**changes):
    purposes = [str(pk) for pk in Purpose.objects.filter(slug="newsletter").values_list("pk", flat=True)]
    return {
        "name": "Shop",
        "slug": "shop",
        "origins": "https://shop.example, https://www.shop.example",
        "purposes": purposes,
        "consent_mode": '{"newsletter": ["ad_user_data"]}',
        "region": "DE",
        "is_active": "on",
        **changes,
    }


def test_a_site_is_registered_audited_and_answered(officer):
    answer = officer.post(ADD, _form())

    assert answer.status_code == 302
    second_newest()
    site = Site.objects.get(slug="shop")
    assert site.origins == ["https://shop.example", "https://www.shop.example"]
    event = AuditEvent.objects.get(action="changes.applied")
    change = event.details["changes"][0]
    assert (event.details["author"], change["key"]) == ("officer:anna", "shop")
    assert change["fields"]["purposes"] == [None, ["newsletter"]]
    shown = Client().get("/api/v1/banner/shop", headers={"Origin": "https://shop.example"})
    assert shown.headers["Access-Control-Allow-Origin"] == "https://shop.example"


@pytest.mark.parametrize(
    "changes",
    [
        {"origins": "*"},
        {"origins": "https://shop.example/"},
        {"origins": "https://*.example"},
        {"origins": "null"},
        {"origins": "javascript:alert(1)"},
        {"consent_mode": '{"newsletter": ["everything"]}'},
        {"consent_mode": '["newsletter"]'},
        {"region": "Germany"},
        {"purposes": []},
    ],
)
def test_what_no_browser_would_send_is_refused(officer, changes):
    answer = officer.post(ADD, _form(**changes))

    assert answer.status_code == 200
    assert not Site.objects.filter(slug="shop").exists()


def test_a_site_is_switched_off_and_never_deleted(officer):
    officer.post(ADD, _form())
    second_newest()
    site = Site.objects.get(slug="shop")

    deleted = officer.post(f"/admin/consent/site/{site.pk}/delete/", {"post": "yes"})
    officer.post(f"/admin/consent/site/{site.pk}/change/", _form(is_active=""))
    second_newest()

    assert deleted.status_code == 403
    assert Client().get("/api/v1/banner/shop").status_code == 404
    assert AuditEvent.objects.filter(action="changes.applied").count() == 2
