"""Text, times and filters the database cannot take are the sender's mistake: 400 or 404, never 500."""

import pytest
from django.contrib import admin
from django.test import Client

from common.admin_pages.model_admin import ModelAdmin

pytestmark = pytest.mark.django_db

PATHS = [
    "/admin/consent/consentrecord/?state__exact=%00",
    "/admin/consent/consentrecord/?q=%00",
    "/admin/policies/policy/%00/change/",
    "/admin/consent/proof/?%00=1",
    "/privacy/open/%00",
    "/privacy/ranking?item=%00",
    "/admin/login/?next=%00",
]
FILTERS = [
    "/admin/policies/servicecredential/?token_hash__gt=a",
    "/admin/consent/datasubject/?last_digest__gt=a",
    "/admin/audit/auditevent/?digest__gt=a",
    "/admin/policies/decision/?id__regex=[",
    "/admin/policies/decision/?outcome__iregex=[",
    "/admin/audit/auditevent/?object__regex=(a)\\2",
    "/admin/auth/user/?password__startswith=a",
    "/admin/auth/user/?groups__permissions__codename__regex=[",
]


@pytest.mark.parametrize("path", PATHS)
def test_nul_in_an_address_is_a_bad_request(officer, path):
    officer.raise_request_exception = False
    assert officer.get(path).status_code in (400, 404)


@pytest.mark.parametrize("path", FILTERS)
def test_filters_the_lists_do_not_offer_are_refused(officer, path):
    officer.raise_request_exception = False
    assert officer.get(path).status_code == 400


def test_filters_the_lists_offer_are_answered(officer):
    for path in (
        "/admin/consent/consentrecord/?state__exact=given",
        "/admin/policies/decision/?outcome__exact=permit",
        "/admin/auth/user/?is_active__exact=1",
        "/admin/auth/user/?groups__id__exact=1",
    ):
        assert officer.get(path).status_code == 200, path


@pytest.mark.parametrize("member", ["purpose", "choice", "channel"])
def test_nul_in_a_form_is_a_bad_request(member):
    page = Client(raise_request_exception=False)
    sent = {"choice": "give", "purpose": "recommendations", member: "\x00"}
    assert page.post("/privacy/choices", sent).status_code == 400
    assert page.post("/admin/login/", {"username": "\x00", "password": "x"}).status_code == 400


def test_every_list_refuses_what_it_does_not_offer(officer):
    others = [model.__name__ for model, page in admin.site._registry.items() if not isinstance(page, ModelAdmin)]
    assert others == []
