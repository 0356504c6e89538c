"""Lint of the registers as a whole: rules, command, page and start page."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from common.registers import lint as register_lint
from common.registers import nearest
from common.registers.lint import Finding
from consent.models import DataCategory, Party, Purpose, PurposeData, Site
from consent.register import lint_rules as purposes
from policies.models import (
    Jurisdiction,
    ProcessingRegion,
    ProcessingSystem,
    Region,
    ResidencyRule,
    SensitiveCategory,
    TransferInstrument,
)
from policies.registers import lint_rules as residency
from policies.registers.lint_rules import PartyPlace, Places, Rule
from privacy.models import RetentionSchedule
from privacy.retention import lint as retention
from tests.helpers.registers import second_newest

PLACES = Places(people={"DE": "eea", "US-CA": "us", "GB": "uk"}, processing={"eu-central": "eea", "us-east": "us"})
PAGE = "/admin/register-findings"


def _found() -> set[tuple[str, str]]:
    return {(each.code, each.key) for each in register_lint.findings() if each.is_error}


def _codes(findings: Any) -> list[str]:
    return [each.code for each in findings]


def _staff(*permissions: str) -> Client:
    from django.contrib.auth.models import Permission, User

    user = User.objects.create_user("ben", password="a long password", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    browser = Client()
    browser.force_login(user)
    return browser


# Rules


@pytest.mark.parametrize(
    ("name", "known", "hint"),
    [
        ("jp", ["eea", "uk"], "Known: eea, uk."),
        ("Eaa", ["eea", "uk"], "Did you mean eea?"),
        ("x", [], "None is registered yet."),
        ("zz", [f"name-{n:02}" for n in range(14)], "and 2 more."),
    ],
)
def test_a_hint_names_what_is_near(name: str, known: list[str], hint: str) -> None:
    assert nearest.hint(name, known).endswith(hint)


def test_a_rule_from_nowhere_to_nowhere_is_found_with_the_names_known() -> None:
    found = list(residency.dangling_groups([Rule("r", "jp", "nowhere", ("*",))], PLACES))

    assert _codes(found) == ["group_without_regions", "group_without_processing"]
    assert "Known: eea, uk, us." in found[0].detail
    assert "Known: eea, us." in found[1].detail
    assert list(residency.dangling_groups([Rule("r", "eea", "us", ("*",))], PLACES)) == []


def test_processing_where_people_live_but_nothing_runs_is_a_note() -> None:
    found = list(residency.dangling_groups([Rule("r", "eea", "uk", ("*",))], PLACES))

    assert [(each.code, each.is_error) for each in found] == [("group_without_processing", False)]


def test_groups_that_no_rule_names_are_notes() -> None:
    found = list(residency.unserved_groups([Rule("r", "eea", "eea", ("*",))], PLACES))

    assert [(each.code, each.key) for each in found] == [
        ("group_without_rule", "uk"),
        ("group_without_rule", "us"),
        ("processing_without_rule", "us-east"),
    ]


@pytest.mark.parametrize(("ends", "count"), [(None, 0), (timedelta(0), 1), (timedelta(seconds=1), 0)])
def test_an_instrument_ends_at_its_moment(ends: timedelta | None, count: int) -> None:
    now = datetime(2026, 11, 29, tzinfo=UTC)
    rule = Rule("r", "eea", "us", ("*",), "dpf", None if ends is None else now + ends)

    assert len(list(residency.ended_instruments([rule], now))) == count


@pytest.mark.parametrize(
    ("country", "basis", "count"),
    [("DE", "", 0), ("US", "", 1), ("US", "adequacy", 0), ("JP", "", 1), ("JP", "standard_clauses", 0)],
)
def test_a_recipient_abroad_needs_a_transfer_basis(country: str, basis: str, count: int) -> None:
    found = list(residency.unfounded_transfers([PartyPlace("p", country, basis)], home="eea", places=PLACES))

    assert _codes(found) == ["transfer_basis_missing"] * count


@pytest.mark.parametrize(("actions", "count"), [(["personalize"], 0), (["collect"], 1), (["train"], 1)])
def test_data_kept_without_schedule_is_a_note(actions: list[str], count: int) -> None:
    found = list(retention.unscheduled("p", actions))

    assert [(each.code, each.is_error) for each in found] == [("retention_missing", False)] * count


def test_a_reason_for_what_is_not_used_is_a_note() -> None:
    found = list(purposes.unexplained_data("p", ["views"], {"views", "health"}))

    assert [(each.code, each.is_error) for each in found] == [("data_reason_unused", False)]


def test_a_reason_in_fewer_languages_is_a_note() -> None:
    found = list(purposes.untranslated_reasons("p", {("views", "en"), ("views", "de")}, ["en", "de", "fr"]))

    assert [each.detail.partition(".")[0] for each in found] == ["The reason for “views” is missing in: fr"]


# Registers in the database


def _break_category() -> None:
    Purpose.objects.filter(slug="newsletter").update(data_categories=["email_adress"])


def _break_recipient() -> None:
    Purpose.objects.filter(slug="newsletter").update(recipients=["nobody"])


def _break_reason() -> None:
    PurposeData.objects.filter(purpose__slug="newsletter").delete()


def _break_notice() -> None:
    Purpose.objects.create(slug="newsletter-2", name="n", benefit="b", actions=["contact"])


def _break_controller() -> None:
    Party.objects.filter(role="controller").delete()


def _break_site() -> None:
    Site.objects.filter(slug="shop").first() or Site.objects.create(slug="shop", name="Shop", origins=[])
    Site.objects.get(slug="shop").purposes.set(Purpose.objects.filter(slug="newsletter"))
    Purpose.objects.filter(slug="newsletter").update(is_active=False)


def _break_retention() -> None:
    RetentionSchedule.objects.filter(purpose__slug="recommendations").update(is_active=False)


def _break_instrument() -> None:
    TransferInstrument.objects.filter(slug="eu-uk-adequacy").update(valid_until=timezone.now() - timedelta(days=1))


def _break_group() -> None:
    Region.objects.filter(group="br").update(group="brazil")


def _break_processing() -> None:
    ProcessingRegion.objects.filter(group="us").delete()
    Region.objects.filter(group="us").update(group="usa")


def _break_party() -> None:
    Party.objects.filter(slug="mail-house").update(country="US")


def _break_rule_data() -> None:
    ResidencyRule.objects.filter(slug="eea-in-eea").update(data_categories=["vews"])


def _break_system() -> None:
    ProcessingSystem.objects.create(name="crm", owner="o", subject_groups=["eaa"], purposes=["newsleter"])


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("spoil", "code", "key"),
    [
        (_break_category, "data_category_unknown", "newsletter"),
        (_break_recipient, "recipient_unknown", "newsletter"),
        (_break_reason, "data_reason_missing", "newsletter"),
        (_break_notice, "notice_missing", "newsletter-2"),
        (_break_controller, "controller_missing", "newsletter"),
        (_break_group, "group_without_regions", "br-in-eea"),
        (_break_processing, "group_without_processing", "us-in-us"),
        (_break_party, "transfer_basis_missing", "mail-house"),
        (_break_rule_data, "data_category_unknown", "eea-in-eea"),
        (_break_system, "subject_groups_unknown", "crm"),
        (_break_system, "purposes_unknown", "crm"),
    ],
)
def test_the_lint_names_what_is_broken(register_in_force: None, spoil: Callable[[], None], code: str, key: str) -> None:
    assert _found() == set(), "the demonstration's register has no error"

    spoil()

    assert (code, key) in _found()


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("spoil", "code", "key"),
    [
        (_break_site, "site_purpose_inactive", "shop"),
        (_break_retention, "retention_missing", "recommendations"),
        (_break_instrument, "instrument_ended", "eea-in-uk"),
    ],
)
def test_what_a_protective_change_leaves_is_a_note(
    register_in_force: None, spoil: Callable[[], None], code: str, key: str
) -> None:
    def notes() -> set[tuple[str, str]]:
        return {(each.code, each.key) for each in register_lint.findings() if not each.is_error}

    assert (code, key) not in notes()

    spoil()

    assert (code, key) in notes()
    # What is kept for ever is longer than the notice says, which is an error of its own.
    assert _found() <= {("notice_asks_everybody", key)}


@pytest.mark.django_db
def test_a_law_without_regions_is_a_note(register_in_force: None) -> None:
    Jurisdiction.objects.create(slug="atlantis", name="Atlantis")
    SensitiveCategory.objects.create(slug="aura", name="Aura")

    notes = {(each.code, each.key) for each in register_lint.findings() if not each.is_error}

    assert {("jurisdiction_uncovered", "atlantis"), ("sensitive_category_unregistered", "aura")} <= notes


@pytest.mark.django_db
def test_lint_costs_no_more_statements_with_more_rows(register_in_force: None, sql: list[str]) -> None:
    def cost() -> int:
        sql.clear()
        register_lint.findings()
        return len(sql)

    few = cost()
    for number in range(6):
        Purpose.objects.create(slug=f"p-{number}", name="P", benefit="b", data_categories=["views"])
        DataCategory.objects.create(slug=f"k-{number}", name="K")
        ProcessingSystem.objects.create(name=f"s-{number}", owner="o", subject_groups=["eea"])

    assert cost() == few


def test_a_check_is_registered_once_by_its_name() -> None:
    before = dict(register_lint._checks)
    try:
        finding = Finding("purpose", "p", "c", "d")
        register_lint._checks.clear()
        register_lint.add_check("mine", lambda: [finding, finding])
        register_lint.add_check("mine", lambda: [finding])
        assert register_lint.findings() == [finding]
    finally:
        register_lint._checks.update(before)
        register_lint._checks.pop("mine", None)


# Command


@pytest.mark.django_db
def test_the_command_ends_well_where_there_are_only_notes(register_in_force: None) -> None:
    RetentionSchedule.objects.filter(purpose__slug="order_fulfilment").delete()
    out = StringIO()

    call_command("registers", "lint", stdout=out)

    assert "note retention_missing purpose order_fulfilment: It keeps data" in out.getvalue()
    assert out.getvalue().splitlines()[-1].startswith("0 errors, ")


@pytest.mark.django_db
def test_the_demonstration_keeps_nothing_without_a_schedule(register_in_force: None) -> None:
    assert "retention_missing" not in {finding.code for finding in register_lint.findings()}


@pytest.mark.django_db
def test_the_command_fails_with_errors_and_prints_them_as_json(register_in_force: None) -> None:
    _break_recipient()
    out = StringIO()

    with pytest.raises(CommandError) as failed:
        call_command("registers", "lint", "--json", stdout=out)

    assert failed.value.returncode == 1
    found = {(each["register"], each["key"], each["code"]) for each in json.loads(out.getvalue())}
    assert ("purpose", "newsletter", "recipient_unknown") in found


# Pages


@pytest.mark.django_db
def test_the_page_links_each_finding_to_its_row(officer: Client) -> None:
    assert "No errors: names, groups" in officer.get(PAGE).content.decode()
    _break_recipient()
    _break_group()

    page = officer.get(PAGE).content.decode()

    rule = ResidencyRule.objects.get(slug="br-in-eea")
    assert reverse("admin:policies_residencyrule_change", args=[rule.pk]) in page
    assert "“nobody” is not among the parties. Known: mail-house" in page


@pytest.mark.django_db
def test_the_start_page_counts_errors_that_have_no_card(officer: Client) -> None:
    def cards() -> list[str]:
        return [str(item["title"]) for item in officer.get("/admin/").context["attention"]]

    assert not any("in the registers" in title for title in cards())
    _break_notice()
    assert not any("in the registers" in title for title in cards()), "a missing notice has a card of its own"

    _break_recipient()
    _break_group()

    item = next(i for i in officer.get("/admin/").context["attention"] if "in the registers" in str(i["title"]))
    assert (item["title"], item["url"]) == ("3 errors in the registers", PAGE)  # the notice says less


@pytest.mark.django_db
def test_who_sees_no_purposes_sees_no_findings(register_in_force: None) -> None:
    assert _staff("view_party").get(PAGE).status_code == 403


@pytest.mark.django_db
def test_who_sees_purposes_alone_gets_no_link_to_rules(register_in_force: None) -> None:
    _break_group()

    page = _staff("view_purpose").get(PAGE).content.decode()

    assert "br-in-eea" in page
    rule = ResidencyRule.objects.get(slug="br-in-eea")
    assert f"/admin/policies/residencyrule/{rule.pk}/" not in page


# Forms


def _rule(**changes: str) -> dict[str, str]:
    return {
        "slug": "new", "subject_group": "eea", "processing_group": "eea", "data_categories": "*", "instrument": "",
        **changes,
    }  # fmt: skip


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"subject_group": "jp"}, "“jp” is not registered. Known: br, eea, in, mx, uk, us."),
        ({"processing_group": "nowhere"}, "“nowhere” is not registered. Known: br, eea"),
        ({"data_categories": "vews"}, "Did you mean views?"),
        ({"subject_group": ""}, "This field is required."),
    ],
)
def test_a_rule_naming_what_is_not_there_is_refused(officer: Client, changes: dict[str, str], message: str) -> None:
    shown = officer.post(reverse("admin:policies_residencyrule_add"), _rule(**changes))

    assert message in str(shown.context["adminform"].form.errors)
    assert not ResidencyRule.objects.filter(slug="new").exists()


@pytest.mark.django_db
def test_a_rule_between_known_groups_is_saved(officer: Client) -> None:
    assert officer.post(reverse("admin:policies_residencyrule_add"), _rule(subject_group="br")).status_code == 302
    second_newest()

    assert ResidencyRule.objects.get(slug="new").subject_group == "br"


@pytest.mark.django_db
def test_a_system_naming_unknown_purposes_is_refused(officer: Client) -> None:
    form = {"name": "crm", "owner": "o", "placements": "", "subject_groups": "eea", "purposes": "newsleter"}

    shown = officer.post(reverse("admin:policies_processingsystem_add"), form)

    assert "Did you mean newsletter?" in str(shown.context["adminform"].form.errors)
