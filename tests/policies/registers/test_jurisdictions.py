"""A new register starts from the jurisdiction packs; officers read them side by side and edit the rows."""

import io

import pytest
from django.core.management import CommandError, call_command

from consent.register import jurisdictions
from consent.register.jurisdictions import Finding
from policies.bundles import loading
from policies.models import ActiveBundle, Jurisdiction, Region
from policies.registers import defaults, jurisdiction_matrix

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def register(db):
    defaults.ensure_defaults()


def test_each_region_has_the_law_the_packs_match():
    regions = {region.code: region for region in Region.objects.select_related("jurisdiction")}

    assert {code: region.jurisdiction.slug for code, region in regions.items()} == {
        code: jurisdictions.match(code).code for code in regions
    }
    assert {code: region.age_of_consent or region.jurisdiction.age_of_consent for code, region in regions.items()} == {
        code: jurisdictions.age_of_consent(code) for code in regions
    }


def test_every_region_a_pack_names_is_in_the_register():
    named = {region for pack in jurisdictions.load() for region in pack.regions}

    assert named <= set(Region.objects.values_list("code", flat=True))


def test_every_pack_is_a_row_and_serves_nobody_unasked():
    slugs = {pack.slug for pack in jurisdictions.load()}

    assert set(Jurisdiction.objects.values_list("slug", flat=True)) == {*slugs, "us-strictest"}
    assert set(Jurisdiction.objects.values_list("unasked_max_level", flat=True)) == {"none"}
    assert set(Jurisdiction.objects.values_list("pack_revision", flat=True)) == {jurisdictions.revision()}


def test_a_row_that_states_nothing_asks_first_and_serves_nobody_unasked():
    row = Jurisdiction.objects.create(slug="new", name="New")

    row.refresh_from_db()
    assert (row.consent_default, row.unasked_max_level, row.age_of_consent) == ("opt_in", "none", 18)


def test_the_bundle_holds_what_the_rows_say():
    data = loading.loaded(ActiveBundle.objects.get().bundle_id).data

    california = data["jurisdictions"]["us-ca"]
    assert california["consent_default"] == "opt_out"
    assert california["binding_signals"] == ["gpc", "gpp"]
    assert california["answer"] == {
        "days": 45, "extension_days": 45, "unit": "calendar", "confirm_days": 10, "confirm_unit": "business",
    }  # fmt: skip
    assert data["residency"]["age_of_consent_of"]["FR"] == 15
    assert data["residency"]["jurisdiction_of"]["US"] == "us-strictest"


def test_lint_of_a_new_register_finds_no_error():
    out = io.StringIO()

    call_command("jurisdictions", "lint", stdout=out)

    assert "note gap MX" in out.getvalue()
    assert "error" not in out.getvalue().replace("no error", "")


def test_lint_fails_on_an_error(monkeypatch):
    monkeypatch.setattr(jurisdiction_matrix, "findings", lambda: [Finding("overlap", "US-CA", "in two packs")])

    with pytest.raises(CommandError, match="1 errors"):
        call_command("jurisdictions", "lint", stdout=io.StringIO())


@pytest.mark.parametrize(
    ("region", "words"), [("us-ca", "(us-ca), found by region"), ("US", "strictest of 15 laws"), ("??", "by default")]
)
def test_the_law_of_a_region_is_shown(region, words):
    out = io.StringIO()

    call_command("jurisdictions", "show", region, stdout=out)

    assert words in out.getvalue()
