"""Data categories as a register: names, vocabularies, reasons, and refusals that name the nearest."""

import importlib
import json
from typing import Any

import pytest
from django.apps import apps
from django.core.exceptions import ValidationError
from django.urls import reverse

from audit.models import AuditEvent
from consent.ledger import ledger
from consent.models import DataCategory, DataCategoryText, Party, Purpose, PurposeData, RegisterSnapshot
from consent.pseudonyms import subject_ref
from consent.receipts import issuing
from consent.register import data_terms
from consent.register.data_words import DataDescriptions
from oversight.problems import ChangeRefused
from policies.models import SensitiveCategory
from tests.helpers.registers import second_newest

pytestmark = pytest.mark.django_db
REF = subject_ref("customer-1")


@pytest.fixture
def purpose(register_in_force: None) -> Purpose:
    return Purpose.objects.get(slug="newsletter")


def _page(row: Any) -> str:
    options = row._meta
    return reverse(f"admin:{options.app_label}_{options.model_name}_change", args=[row.pk])


def _errors(response: Any) -> str:
    context = response.context
    formsets = [inline.formset for inline in context["inline_admin_formsets"]]
    return str(context["adminform"].form.errors) + "".join(str(each.non_form_errors()) for each in formsets)


def _save() -> int:
    choices = [ledger.Choice(purpose="newsletter", choice="give")]
    request = ledger.Request(subject_ref=REF, choices=choices, source="api", actor="test", region="DE")
    return ledger.save_choices(request).subject_revision


def test_vocabularies_are_bundled_with_source_and_version() -> None:
    assert data_terms.fideslang()["user.contact.email"] == "User Contact Email"
    assert data_terms.dpv()["EmailAddress"] == "Email Address"
    table = data_terms._table()
    assert {"source", "version", "read", "licence", "terms"} == table["fideslang"].keys() == table["dpv_pd"].keys()


def test_defaults_name_terms_that_the_vocabularies_have(register_in_force: None) -> None:
    for category in DataCategory.objects.all():
        category.full_clean()
        assert not category.fideslang_key or category.fideslang_key in data_terms.fideslang()


@pytest.mark.parametrize(
    ("field", "value", "hint"),
    [
        ("data_categories", ["email_adress"], "Did you mean email_address"),
        ("data_categories", ["location"], "Known: biometrics,"),
        ("recipients", ["mail-hose"], "Did you mean mail-house?"),
    ],
)
def test_a_name_no_register_knows_is_refused(purpose: Purpose, field: str, value: Any, hint: str) -> None:
    setattr(purpose, field, value)

    with pytest.raises(ValidationError) as refused:
        purpose.full_clean()

    assert hint in str(refused.value.message_dict[field])


def test_the_form_refuses_a_misspelt_category_with_the_nearest(send: Any, purpose: Purpose) -> None:
    shown = send(_page(purpose), data_categories="email_adress")

    assert shown.status_code == 200
    assert "Did you mean email_address" in _errors(shown)
    purpose.refresh_from_db()
    assert purpose.data_categories == ["email_address"]


def test_the_form_refuses_a_category_without_a_reason(send: Any, purpose: Purpose) -> None:
    shown = send(_page(purpose), data_categories="email_address, views")

    assert shown.status_code == 200
    assert "No reason is given why “views” is needed" in _errors(shown).replace("&quot;", '"')
    purpose.refresh_from_db()
    assert purpose.data_categories == ["email_address"]


def test_a_category_with_its_reason_comes_into_force(send: Any, purpose: Purpose) -> None:
    views = DataCategory.objects.get(slug="views")
    reason = {
        "data_reasons-TOTAL_FORMS": "2",
        "data_reasons-1-category": views.pk,
        "data_reasons-1-locale": "en",
        "data_reasons-1-reason": "To write about what you looked at.",
        "data_reasons-1-purpose": purpose.pk,
    }

    assert send(_page(purpose), data_categories="email_address, views", **reason).status_code == 302

    assert not purpose.data_reasons.filter(category=views).exists(), "a draft is not in force"
    second_newest()
    assert purpose.data_reasons.get(category=views).reason == "To write about what you looked at."
    change = AuditEvent.objects.get(action="changes.applied").details["changes"][0]
    assert {"data_categories", "data_reasons"} == change["fields"].keys()


def test_a_category_is_made_changed_and_removed_by_sets(officer: Any, send: Any) -> None:
    form = {"name": "location", "slug": "location", "fideslang_key": "user.location", "dpv_term": "Location"}
    form |= {"texts-TOTAL_FORMS": "0", "texts-INITIAL_FORMS": "0"}
    assert officer.post(reverse("admin:consent_datacategory_add"), form).status_code == 302
    second_newest()
    category = DataCategory.objects.get(slug="location")
    assert send(_page(category), name="where you are", slug="elsewhere").status_code == 302
    second_newest()
    category.refresh_from_db()
    assert (category.slug, category.name) == ("location", "where you are"), "the name in the API never changes"

    officer.post(reverse("admin:consent_datacategory_delete", args=[category.pk]), {"post": "yes"})

    second_newest()
    assert not DataCategory.objects.filter(slug="location").exists()
    assert AuditEvent.objects.filter(action="changes.applied").count() == 3


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"dpv_term": "EmailAdress"}, "Did you mean EmailAddress"),
        ({"fideslang_key": "User Email"}, "A key of fideslang"),
        ({"slug": "Post Code"}, "small letters"),
    ],
)
def test_a_category_with_a_wrong_term_is_refused(officer: Any, changes: dict[str, str], message: str) -> None:
    form = {"name": "n", "slug": "n", "texts-TOTAL_FORMS": "0", "texts-INITIAL_FORMS": "0", **changes}

    shown = officer.post(reverse("admin:consent_datacategory_add"), form)

    assert shown.status_code == 200
    assert message in _errors(shown)


def test_a_category_that_a_purpose_uses_is_not_removed(officer: Any, purpose: Purpose) -> None:
    PurposeData.objects.all().delete()
    category = DataCategory.objects.get(slug="email_address")

    officer.post(reverse("admin:consent_datacategory_delete", args=[category.pk]), {"post": "yes"})

    with pytest.raises(ChangeRefused, match="“email_address” is no data category"):
        second_newest()
    assert DataCategory.objects.filter(slug="email_address").exists()


def test_whether_it_is_sensitive_stands_in_one_register(officer: Any, register_in_force: None) -> None:
    health, views = (DataCategory.objects.get(slug=slug) for slug in ("health", "views"))
    sensitive = SensitiveCategory.objects.get(slug="health")

    assert _page(sensitive) in officer.get(_page(health)).content.decode()
    assert "/admin/policies/sensitivecategory/add/?slug=views" in officer.get(_page(views)).content.decode()
    sensitive.delete()
    assert "/admin/policies/sensitivecategory/add/?slug=health" in officer.get(_page(health)).content.decode()


def test_suggestions_stand_in_the_form(officer: Any) -> None:
    page = officer.get(reverse("admin:consent_datacategory_add")).content.decode()

    assert '<datalist id="suggestions-dpv_term">' in page
    assert '<option value="user.contact.email" label="User Contact Email">' in page


@pytest.mark.parametrize(
    ("language", "name", "reason"),
    [("en", "email address", "A letter by e-mail needs an address."), ("de", "E-Mail-Adresse", "Ein Brief")],
)
def test_people_read_why_each_kind_is_needed(
    purpose: Purpose, language: str, name: str, reason: str, settings: Any
) -> None:
    from django.utils import translation

    from governance.demo.register import ensure_translations

    ensure_translations()
    with translation.override(language):
        found = DataDescriptions(language).reasons_of(purpose)

    assert [(each.name, each.locale) for each in found] == [(name, "")]
    assert found[0].reason.startswith(reason)


def test_a_reason_without_translation_says_its_language(purpose: Purpose) -> None:
    found = DataDescriptions("de").reasons_of(purpose)

    assert [each.locale for each in found] == ["en"]


def test_a_name_that_officers_chose_comes_before_the_shipped_one(purpose: Purpose) -> None:
    category = DataCategory.objects.get(slug="email_address")
    DataCategory.objects.filter(pk=category.pk).update(name="mail")
    assert DataDescriptions("de").names_of(purpose) == ["mail"]

    DataCategoryText.objects.create(category=category, locale="de", name="Mailadresse")
    assert DataDescriptions("de").names_of(purpose) == ["Mailadresse"]


def test_the_dashboard_says_why_the_data_is_needed(visitor: Any) -> None:
    page = visitor.browser.get("/privacy/").content.decode()

    assert "Why we need it" in page
    assert "A letter by e-mail needs an address." in page


# Receipts


def test_receipts_carry_the_term_and_the_basis_of_then(purpose: Purpose) -> None:
    Party.objects.filter(slug="mail-house").update(country="US", transfer_basis="standard_clauses")
    DataCategory.objects.filter(slug="email_address").update(dpv_term="Contact")
    revision = _save()
    before = issuing.issue(REF, revision)["receipt"]["consent_record"]

    Party.objects.filter(slug="mail-house").update(transfer_basis="")
    DataCategory.objects.filter(slug="email_address").update(dpv_term="EmailAddress")
    PurposeData.objects.filter(purpose=purpose).update(reason="Because.")

    found = issuing.issue(REF, revision)["receipt"]["consent_record"]
    assert found == before
    assert found["pii_information"][0]["pii_type"] == "https://w3id.org/dpv/pd#Contact"
    bases = {party["party_id"]: party.get("transfer_basis") for party in found["parties"]}
    assert bases["mail-house"] == "https://w3id.org/dpv/legal/eu/gdpr#A46-2-c"
    assert bases["northwind"] is None, "a party without a transfer says nothing about one"


def test_a_snapshot_without_the_new_members_reads_as_before(purpose: Purpose) -> None:
    revision = _save()
    newest = RegisterSnapshot.objects.filter(purpose="newsletter").latest("id")
    content = json.loads(newest.content)
    assert content.pop("data")[0]["reasons"][0]["locale"] == "en"

    from consent.models import ConsentRecord
    from consent.receipts.freezing import Frozen

    assert "health" in content.pop("sensitive")

    old = Frozen(json.dumps(content), newest.digest, True, {}, [], {})
    assert (old.data_terms, old.controllers) == ({}, ["northwind"])
    assert "health" in old.sensitive, "as receipts of before named it"
    assert ConsentRecord.objects.get(subject_revision=revision).proof["register"]["sha256"] == newest.digest


def test_joint_controllers_are_named_with_the_controller(purpose: Purpose) -> None:
    joint = Party(slug="eastwind", role="joint_controller", name="Eastwind", address="Road 1", country="DE")
    joint.save()

    processing = issuing.issue(REF, _save())["receipt"]["consent_record"]["processing"][0]

    assert processing["pii_controllers"] == ["northwind", "eastwind"]


# Upgrades


def test_an_upgrade_makes_a_row_of_each_kind_in_use(purpose: Purpose) -> None:
    PurposeData.objects.all().delete()
    DataCategory.objects.all().delete()
    Purpose.objects.filter(pk=purpose.pk).update(data_categories=["email_address", "shoe-size", "No Name"])
    migration = importlib.import_module("consent.migrations.0015_data_in_snapshots")

    migration._register_kinds(apps, None)

    found = {category.slug: category for category in DataCategory.objects.all()}
    assert set(found) == {"email_address", "shoe-size", "views", "purchases", "ratings", "postal_address"}
    assert (found["email_address"].name, found["email_address"].dpv_term) == ("email address", "EmailAddress")
    assert (found["shoe-size"].name, found["shoe-size"].dpv_term) == ("shoe-size", "")
