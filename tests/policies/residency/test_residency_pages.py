"""The residency matrix as the engine answers, and the data map with its table."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.utils import timezone

from common import policy_data
from common.charts.flows import Column, Flow, Node, flows
from consent.models import Party, Purpose
from policies.models import ActiveBundle, ProcessingSystem, ResidencyRule, TransferInstrument
from policies.residency import data_map, matrix

pytestmark = pytest.mark.django_db
MATRIX, MAP = "/admin/residency-matrix", "/admin/data-map"


def _cell(group: str, place: str) -> matrix.Cell:
    found = matrix.in_force()
    assert found is not None
    column = [slug for slug, _group in found.places].index(place)
    return next(row for row in found.rows if row.group == group).cells[column]


def _publish() -> None:
    policy_data.changed(reason="test", actor="test")


def test_the_matrix_says_by_which_rule_all_data_may_be_there(register_in_force: None) -> None:
    assert _cell("eea", "eu-central") == matrix.Cell(True, rules=("eea-in-eea",))
    assert _cell("eea", "uk-south") == matrix.Cell(True, rules=("eea-in-uk",), instruments=("eu-uk-adequacy",))


def test_what_no_rule_allows_is_denied_with_the_reason(register_in_force: None) -> None:
    cell = _cell("eea", "us-east")

    assert (cell.is_permitted, cell.kinds) == (False, ())
    assert cell.why.startswith("No rule allows data of people in eea")


def test_a_rule_for_some_data_names_them(register_in_force: None) -> None:
    ResidencyRule.objects.create(
        slug="eea-views-in-us", subject_group="eea", processing_group="us", data_categories=["views"]
    )
    _publish()

    assert _cell("eea", "us-east").kinds == ("views",)
    assert _cell("eea", "us-east").rules == ("eea-views-in-us",)


def test_an_instrument_that_ended_denies_in_the_matrix(register_in_force: None) -> None:
    TransferInstrument.objects.filter(slug="eu-uk-adequacy").update(valid_until=timezone.now() - timedelta(hours=1))
    _publish()

    assert not _cell("eea", "uk-south").is_permitted


def test_a_rule_that_is_not_in_force_yet_is_not_shown(register_in_force: None) -> None:
    ResidencyRule.objects.create(slug="new", subject_group="eea", processing_group="us", data_categories=["*"])

    assert not _cell("eea", "us-east").is_permitted, "the matrix shows the bundle in force, not the rows"


def test_without_a_bundle_the_page_says_so(officer: Client) -> None:
    ActiveBundle.objects.all().delete()

    assert "No bundle is in force that could answer" in officer.get(MATRIX).content.decode()


def test_the_matrix_page_has_words_and_headings_for_readers(officer: Client) -> None:
    page = officer.get(MATRIX).content.decode()

    assert page.count('scope="row"') >= 6
    assert "All data" in page
    assert "Denied" in page
    assert "Germany" in page


# Data map


@pytest.fixture
def crm(register_in_force: None) -> ProcessingSystem:
    places = [{"kind": "store", "region": "eu-central", "resource": "crm"}]
    return ProcessingSystem.objects.create(
        name="CRM", owner="Sales", placements=places, subject_groups=["eea"], purposes=["newsletter"]
    )


def test_the_map_says_who_has_which_data_where(crm: ProcessingSystem) -> None:
    Party.objects.filter(slug="mail-house").update(country="US", transfer_basis="standard_clauses")

    lines = {(line.purpose, line.holder.name if line.holder else ""): line for line in data_map.build().lines}

    sent = lines["Newsletter", "Mail House"]
    assert sent.holder is not None
    assert (sent.data, sent.holder.places) == (("email address",), ("US",))
    assert (sent.holder.part, sent.holder.basis) == ("Processor", "Standard contractual clauses")
    kept = lines["Newsletter", "CRM"]
    assert kept.holder is not None
    assert kept.holder.places == ("eu-central",)
    assert lines["Recommendations", ""].holder is None


def test_a_recipient_that_is_no_party_is_marked(register_in_force: None) -> None:
    Purpose.objects.filter(slug="newsletter").update(recipients=["ghost"])

    found = data_map.build()

    line = next(line for line in found.lines if line.purpose == "Newsletter")
    assert line.holder is not None
    assert line.holder.part == "Not among the parties"
    assert "flow-marked" in found.svg


def test_a_system_without_purposes_stands_in_the_table(register_in_force: None) -> None:
    ProcessingSystem.objects.create(name="Old", owner="o", subject_groups=["eea"], data_categories=["*"])

    line = next(line for line in data_map.build().lines if line.holder and line.holder.name == "Old")

    assert (line.purpose_id, line.data) == (0, ("All data",))


def test_the_map_page_says_in_its_table_what_it_draws(officer: Client, crm: ProcessingSystem) -> None:
    page = officer.get(MAP).content.decode()

    drawn = re.findall(r"<g><title>([^<]+)</title>", page)
    table = page[page.index("map-table") :]
    assert {"email address", "Newsletter", "Mail House", "CRM", "DE", "eu-central"} <= set(drawn)
    assert all(name in table for name in drawn)
    assert "style=" not in page[page.index("<svg xmlns") : page.index("</svg>", page.index("<svg xmlns"))]


def test_names_in_the_map_are_text(officer: Client, register_in_force: None) -> None:
    Purpose.objects.filter(slug="newsletter").update(name="<script>x</script>", recipients=["<b>"])

    page = officer.get(MAP).content.decode()

    assert "<script>x" not in page
    assert "<b>" not in page


def test_the_map_costs_no_more_statements_with_more_rows(register_in_force: None, sql: list[str]) -> None:
    sql.clear()
    data_map.build()
    assert len(sql) == 4
    for number in range(5):
        Purpose.objects.create(slug=f"p-{number}", name="P", benefit="b", recipients=["mail-house"])
    sql.clear()
    data_map.build()

    assert len(sql) == 4


@pytest.mark.parametrize("path", [MATRIX, MAP])
def test_who_may_not_see_the_registers_sees_no_page(register_in_force: None, path: str) -> None:
    user = User.objects.create_user("ben", password="a long password", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename="view_purpose"))
    browser = Client()
    browser.force_login(user)

    assert browser.get(path).status_code == 403


# Drawing


def test_lines_of_nodes_that_are_not_there_are_left_out() -> None:
    columns = [Column("A", (Node("a", "Alpha"),)), Column("B", (Node("b", "Beta", is_marked=True),))]
    lines = [Flow(0, "a", 1, "b"), Flow(0, "a", 1, "gone")]

    svg = flows(columns, lines, title="t", description="d")

    assert svg.count('class="flow-line"') == 1
    assert "Alpha → Beta" in svg
    assert svg.count("flow-marked") == 1


def test_an_empty_map_says_so() -> None:
    columns: list[Any] = [Column("A", ()), Column("B", ())]

    assert "Nothing to show yet." in flows(columns, [], title="t", description="d")
