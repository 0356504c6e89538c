"""Text, times and filters the database cannot take are the sender's mistake: 400 or 404, never 500."""

import re

import pytest
from django.contrib import admin
from django.contrib.admin.utils import quote
from django.test import Client

from common.admin_pages.model_admin import ModelAdmin
from consent.models import Purpose, Site
from policies.bundles import publishing
from policies.models import PolicyDraft

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
        "/admin/policies/decision/?outcome=permit",
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


def _forms(purpose_pk, policy_pk):
    """Forms of every kind an officer types into: of a model, of an editor, of a search."""
    site = {"name": "Sh\x00op", "slug": "shop", "origins": "https://shop.example", "purposes": [purpose_pk]}
    site |= {"consent_mode": "{}", "region": "DE", "is_active": "on"}
    notice = {"text": "New\x00 text of this notice.", "kind": "material", "based_on": "1", "step": "preview"}
    where = f"/admin/consent/notice/add/?purpose={purpose_pk}&locale=en"
    edited = {"file": "levels.rego", "text": "package gov\x00ernance.levels", "seen": ""}
    return [
        ("/admin/consent/site/add/", site, "Shop"),
        (where, notice, "New text of this notice."),
        (f"/admin/policies/policy/{quote(policy_pk)}/edit/", edited, "package governance.levels"),
    ]


def test_an_officers_form_with_nul_comes_back_without_it(officer):
    purpose = Purpose.objects.get(slug="newsletter")
    for path, form, typed in _forms(purpose.pk, publishing.last_activation().policy.pk):
        answer = officer.post(path, form)

        page = answer.content.decode()
        assert answer.status_code in (200, 400, 422), path
        assert "\x00" not in page
        assert re.search(r"(?i)null? characters?", page), path
        assert typed in page, path
    assert not Site.objects.filter(slug="shop").exists()
    assert not PolicyDraft.objects.exists()


@pytest.mark.parametrize(
    ("path", "form"),
    [
        ("/admin/consent/site/", {"action": "x", "_selected_action": "\x00"}),
        ("/admin/consent/proof/", {"business_id": "", "pseudonym": "abcdef12\x00"}),
        ("/admin/policies/rollouts/start", {"policy": "\x00"}),
        ("/admin/policies/simulations/", {"candidate": "\x00", "days": "7"}),
    ],
)
def test_nul_where_nothing_is_typed_is_never_a_500(officer, path, form):
    officer.raise_request_exception = False
    assert officer.post(path, form).status_code in (200, 302, 400, 404)


def test_every_list_refuses_what_it_does_not_offer(officer):
    others = [model.__name__ for model, page in admin.site._registry.items() if not isinstance(page, ModelAdmin)]
    assert others == []
