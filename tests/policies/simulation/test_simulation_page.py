"""The page "Simulations": officers ask, leave, come back, and read what a candidate would change."""

import csv
import io
import json

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client

from policies.bundles import publishing
from policies.decision_log import drainer
from policies.models import ActiveBundle, Bundle, SimulationReport
from policies.simulation import service
from tests.helpers.visitor import question

pytestmark = pytest.mark.django_db
PAGE = "/admin/simulations/"


@pytest.fixture
def candidate(api, own_spool):
    """A revision under which recommendations may do nothing, and two permits in the log."""
    api.save("customer-1", "give")
    for _ in range(2):
        api.evaluate(question())
    drainer.drain(own_spool)
    active = ActiveBundle.objects.get().bundle
    data = json.loads(active.data)
    data["purposes"]["recommendations"]["actions"] = []
    return Bundle.objects.create(
        revision=publishing.revision_of(active.policies, data),
        policies=active.policies,
        data=json.dumps(data),
        reason="Closing recommendations",
        actor="test",
    )


@pytest.fixture
def asked(officer, candidate):
    response = officer.post(PAGE, {"candidate": candidate.revision, "days": "7"})
    row = SimulationReport.objects.get()
    assert response.headers["Location"] == f"{PAGE}{row.pk}/"
    return row


def _text(response):
    return " ".join(response.content.decode().split())


def test_the_empty_page_says_what_will_appear(officer):
    assert "What was simulated appears here" in _text(officer.get(PAGE))


def test_a_simulation_is_asked_for_and_found_again(officer, asked):
    assert "The simulation waits for a worker." in _text(officer.get(f"{PAGE}{asked.pk}/"))
    assert str(asked.pk) in _text(officer.get(PAGE))
    assert asked.author == "officer:anna"


def test_a_running_simulation_shows_how_far_it_is(officer, asked):
    SimulationReport.objects.update(state="running", decisions_expected=4_000, decisions_read=1_000)

    shown = _text(officer.get(f"{PAGE}{asked.pk}/"))

    assert "1,000 of 4,000 decisions so far." in shown
    assert 'value="25"' in shown


def test_the_report_tells_in_words_what_would_change(officer, asked):
    service.run(asked.pk)

    response = officer.get(f"{PAGE}{asked.pk}/")

    shown = _text(response)
    assert "Of 2 decisions of the last 7 days 2 would come out differently." in shown
    assert "The purpose does not include this action." in shown
    assert shown.count("<svg") >= 3
    assert "Closing recommendations" in shown


def test_the_numbers_can_be_taken_along(officer, asked):
    service.run(asked.pk)

    document = officer.get(f"{PAGE}{asked.pk}/report.json").json()
    table = officer.get(f"{PAGE}{asked.pk}/report.csv")

    assert document["format"] == "assent-simulation/1"
    rows = list(csv.DictReader(io.StringIO(table.content.decode())))
    whole = next(row for row in rows if (row["compared_with"], row["group"]) == ("in_force", "all"))
    assert (whole["decisions"], whole["different"], whole["permit_to_deny"]) == ("2", "2", "2")
    assert any(row["group"] == "purpose" and row["value"] == "recommendations" for row in rows)


def test_there_is_no_file_before_the_end(officer, asked):
    assert officer.get(f"{PAGE}{asked.pk}/report.json").status_code == 404
    assert officer.get(f"{PAGE}{asked.pk}/report.csv").status_code == 404


def test_a_failure_is_told_on_the_page(officer, asked):
    SimulationReport.objects.update(state="failed", error="The candidate cannot be used. <b>")

    assert "The candidate cannot be used. &lt;b&gt;" in _text(officer.get(f"{PAGE}{asked.pk}/"))


def test_a_revision_nobody_stored_is_refused_in_a_sentence(officer):
    response = officer.post(PAGE, {"candidate": "sha256:nonsense", "days": "7"}, follow=True)

    assert "No revision sha256:nonsense is stored here." in _text(response)
    assert not SimulationReport.objects.exists()


def test_who_may_only_look_does_not_start_one(asked):
    reader, nobody = Client(), Client()
    user = User.objects.create_user("ben", password="a long password", is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename="view_simulationreport"))
    reader.force_login(user)
    nobody.force_login(User.objects.create_user("eve", password="a long password", is_staff=True))

    assert reader.get(f"{PAGE}{asked.pk}/").status_code == 200
    assert reader.post(PAGE, {"candidate": asked.candidate, "days": "7"}).status_code == 403
    assert nobody.get(PAGE).status_code == 403
    assert nobody.get(f"{PAGE}{asked.pk}/").status_code == 403
    assert SimulationReport.objects.count() == 1
