"""The page "Trust metrics": for officers, the same numbers as its CSV, nobody singled out."""

import csv
import io
import secrets
import uuid

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.utils import timezone

from common.admin_pages.display import NOTHING
from common.identifiers import uuid7_floor
from consent.models import DailyCount, Purpose
from consent.pseudonyms import subject_ref
from policies.decision_log import drainer, figures
from policies.models import Decision
from tests.helpers.consent_history import Past
from tests.helpers.visitor import question

pytestmark = pytest.mark.django_db
PAGE, CSV = "/admin/trust/", "/admin/trust/numbers.csv"


@pytest.fixture
def past(register_in_force):
    past = Past()
    past.crowd("de", given=60, refused=25, withdrawn=25, region="DE")
    past.crowd("fr", given=30, region="FR")
    past.crowd("at", given=7, region="AT")
    return past


def _text(response):
    return " ".join(response.content.decode().split())


def _tiles(response):
    return {str(tile["label"]): tile["value"] for tile in response.context["tiles"]}


def _figure(response, title):
    return next(figure for figure in response.context["figures"] if figure.title == title)


def _csv(officer, **query):
    return list(csv.DictReader(io.StringIO(officer.get(CSV, query).content.decode())))


def test_an_officer_sees_the_rates_of_the_chosen_period(officer, past):
    page = officer.get(PAGE, {"days": "30"})

    assert page.status_code == 200
    tiles = _tiles(page)
    assert (tiles["Consent rate"], tiles["Opt-out rate"], tiles["Withdrawal rate"]) == ("66 %", "17 %", "20 %")
    assert tiles["Time to withdraw"] == "2 days"


@pytest.mark.parametrize("path", [PAGE, CSV])
def test_nobody_else_sees_it(past, path):
    answer = Client().get(path)

    assert (answer.status_code, answer.headers["Location"]) == (302, f"/admin/login/?next={path}")


@pytest.mark.parametrize("path", [PAGE, CSV])
def test_it_is_only_looked_at(officer, path):
    assert officer.post(path).status_code == 405


@pytest.mark.parametrize("query", [{}, {"days": "7", "by": "person"}, {"days": "x" * 999, "by": "' OR 1=1"}])
def test_nonsense_in_the_address_shows_the_default(officer, past, query):
    page = officer.get(PAGE, query)

    assert page.status_code == 200
    assert [value for value, _name, chosen in page.context["periods"] if chosen] == [90]


def test_a_small_region_and_the_next_are_withheld_on_the_page_and_in_the_csv(officer, past):
    page = officer.get(PAGE, {"by": "region"})
    rows = {row["group"]: row for row in _csv(officer, by="region")}

    table = {row[0]: row[1:] for row in _figure(page, "Where people stand").rows}
    assert table["DE"] == ("110 people", "55 %", "23 %", "23 %")
    assert table["AT"] == table["FR"] == ("withheld", NOTHING, NOTHING, NOTHING)
    assert set(rows["AT"].values()) == {"AT", "withheld"}
    assert set(rows["FR"].values()) == {"FR", "withheld"}
    assert (rows["DE"]["people"], rows["DE"]["consent_percent"]) == ("110", "55")
    assert int(rows["all"]["people"]) - int(rows["DE"]["people"]) == 37
    assert "2 groups are withheld here." in _text(page)


def test_a_purposes_name_is_no_formula_in_a_spreadsheet(officer, past):
    Purpose.objects.filter(slug="recommendations").update(name="=1+1")

    assert _csv(officer)[0]["group"] == "'=1+1"


def test_an_empty_ledger_gives_a_calm_page(officer):
    page = officer.get(PAGE)

    assert page.status_code == 200
    assert _tiles(page)["Consent rate"] == NOTHING
    assert _text(page).count("Nothing to show yet.") == 5
    assert "<table" not in page.content.decode()
    assert [row["people"] for row in _csv(officer)] == ["withheld"]


def test_each_chart_has_a_title_a_description_and_a_table(officer, past):
    DailyCount.objects.create(day=timezone.now().date(), what="dashboard_opened", count=40)
    page = officer.get(PAGE)

    for figure in page.context["figures"][:4]:
        assert f">{figure.title}</title>" in figure.svg
        assert "</desc>" in figure.svg
        assert figure.rows
        assert all(len(row) == len(figure.headings) for row in figure.rows)


def _asked(law, *, people, signals):
    moment = timezone.now()
    drainer.ensure_partition(moment.date().isoformat())
    for number in range(people):
        signal = "true" if number < signals else "false"
        Decision.objects.create(
            id=uuid.UUID(int=uuid7_floor(moment).int + secrets.randbits(60)), decided_at=moment, batch_id=1,
            position=0, subject_tag=f"{law}{number}".encode(), outcome="permit", reasons=[],
            entry=f'{{"facts":{{"subject":{{"jurisdiction":"{law}"}},"signals":{{"gpc":{signal}}}}}}}',
        )  # fmt: skip


def test_signals_are_told_by_law_where_20_people_asked(officer, past):
    _asked("gdpr", people=40, signals=10)
    _asked("ccpa", people=30, signals=30)
    _asked("lgpd", people=19, signals=1)

    figure = _figure(officer.get(PAGE), "Opt-out signals by law")

    assert {row[0]: row[1:] for row in figure.rows} == {
        "GDPR": ("40 decisions", "25 %"),
        "CCPA": ("withheld", NOTHING),
        "LGPD": ("withheld", NOTHING),
    }


def test_signals_are_found_in_the_log_as_decisions_write_it(api, own_spool):
    for number in range(20):
        api.save(f"customer-{number}", "give")
        asked = question(f"customer-{number}")
        asked["context"]["signals"] = {"gpc": number < 5}
        status, _answer, _headers = api.evaluate(asked)
        assert status == 200
    drainer.drain(own_spool)

    shares, total = figures.signal_shares(now=timezone.now())

    assert [(share.jurisdiction, share.decisions, share.signalled) for share in shares] == [("gdpr", 20, 5)]
    assert total.rate == 0.25


def test_the_page_costs_the_same_statements_with_more_people(officer, past, sql):
    def cost():
        sql.clear()
        officer.get(PAGE, {"by": "region"})
        return len(sql)

    cost()
    few = cost()
    past.crowd("more", given=40, region="ES")

    assert cost() == few <= 10


def test_no_pseudonym_is_on_the_page(officer, past):
    page = officer.get(PAGE).content.decode()

    assert str(subject_ref("customer-1")) not in page
    assert not any(str(ref) in page for ref in past.revisions)


@pytest.mark.parametrize("page", [PAGE, CSV])
def test_staff_need_the_permission_to_see_consent_records(past, page):
    clerk = User.objects.create_user("clerk", is_staff=True)
    client = Client()
    client.force_login(clerk)

    assert client.get(page).status_code == 403

    clerk.user_permissions.add(Permission.objects.get(codename="view_dailycount"))
    clerk.user_permissions.add(Permission.objects.get(codename="view_release"))
    assert client.get(page).status_code == 403, "the right to figures with noise"
    clerk.user_permissions.add(Permission.objects.get(codename="view_exactfigures"))
    assert client.get(page).status_code == 200
