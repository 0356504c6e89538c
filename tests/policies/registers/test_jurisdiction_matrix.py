"""Officers read the laws side by side, and what lint finds above them."""

import json

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse

from policies.models import ActiveBundle, Jurisdiction, Region
from policies.registers import jurisdiction_matrix, jurisdiction_rows
from tests.helpers.registers import second_newest

pytestmark = pytest.mark.django_db
PAGE = "/admin/jurisdiction-matrix"


def test_each_law_is_a_row_of_one_table_with_a_caption(officer):
    page = officer.get(PAGE).content.decode()

    assert page.count("<caption") == 1
    assert page.count('<th scope="row">') == Jurisdiction.objects.count()
    assert "13 to 16, by region" in page
    assert "receipt confirmed within 10 business days" in page
    assert "GPC: Segment (binding)" in page


def test_findings_stand_on_top(officer):
    page = officer.get(PAGE).content.decode()

    assert "<strong>MX</strong>" in page
    assert page.index("<strong>MX</strong>") < page.index("<table")


def test_without_findings_the_page_says_so(officer, monkeypatch):
    monkeypatch.setattr(jurisdiction_matrix, "findings", list)

    assert "Nothing found" in officer.get(PAGE).content.decode()


def test_a_law_costs_no_more_statements_with_more_regions(officer, sql):
    def cost():
        sql.clear()
        officer.get(PAGE)
        return len(sql)

    cost()
    few = cost()
    law = Jurisdiction.objects.create(slug="ch", name="Switzerland")
    Region.objects.create(code="CH", name="Switzerland", group="ch", jurisdiction=law, age_of_consent=16)

    assert cost() == few


def test_who_may_not_see_jurisdictions_may_not_see_the_matrix(register_in_force):
    client = Client()
    client.force_login(User.objects.create_user("carl", password="a long password", is_staff=True))

    assert client.get(PAGE).status_code == 403


def test_an_officer_raises_the_level_for_people_nobody_has_asked(officer, send):
    law = Jurisdiction.objects.get(slug="us-co")

    answer = send(
        reverse("admin:policies_jurisdiction_change", args=[law.pk]),
        unasked_max_level="segment",
        binding_signals=["gpc"],
    )

    assert answer.status_code == 302
    second_newest()
    data = json.loads(ActiveBundle.objects.select_related("bundle").get().bundle.data)["jurisdictions"]["us-co"]
    assert data["unasked_max_level"] == "segment"
    assert data["binding_signals"] == ["gpc", "gpp"], "the ledger reads the packs, so a row may not say otherwise"


@pytest.mark.parametrize("field", ["consent_days", "reask_days", "age_of_consent", "binding_signals"])
def test_what_the_ledger_reads_from_the_packs_is_not_edited(officer, field):
    law = Jurisdiction.objects.get(slug="us-co")

    page = officer.get(reverse("admin:policies_jurisdiction_change", args=[law.pk]))

    assert field not in page.context["adminform"].form.fields
    assert field in page.context["adminform"].readonly_fields


@pytest.mark.parametrize(("field", "value"), [("extension_days", "-1"), ("answer_days", "")])
def test_a_mistake_in_a_law_is_shown_and_changes_nothing(officer, send, field, value):
    law = Jurisdiction.objects.get(slug="us-co")
    before = ActiveBundle.objects.get().bundle_id

    answer = send(reverse("admin:policies_jurisdiction_change", args=[law.pk]), **{field: value})

    assert field in answer.context["adminform"].form.errors
    assert ActiveBundle.objects.get().bundle_id == before


@pytest.fixture
def old_california(register_in_force):
    """A row of before packs."""
    Jurisdiction.objects.filter(slug="us-ca").update(consent_days=180)


def test_an_officer_sees_the_difference_and_takes_the_pack_over(old_california, officer):
    shown = officer.get(PAGE).content.decode()
    assert "Consent days: 180 here, 730 in the pack" in shown

    answer = officer.post(PAGE, {"law": "us-ca"}, follow=True)
    assert "Take over from the packs of this release: us-ca" in answer.content.decode()
    assert jurisdiction_rows.differing()
    second_newest()

    assert "Rows that differ" not in officer.get(PAGE).content.decode()


def test_who_may_only_look_cannot_take_over(old_california):
    user = User.objects.create_user("carl", password="a long password", is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename="view_jurisdiction"))
    client = Client()
    client.force_login(user)

    assert "Take the pack over" not in client.get(PAGE).content.decode()
    assert client.post(PAGE, {"law": "us-ca"}).status_code == 403
    assert jurisdiction_rows.differing()
