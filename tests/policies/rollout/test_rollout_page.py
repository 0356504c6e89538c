"""The pages "Rollouts": officers begin, watch, widen, promote and stop; who may not, does not, nor does the author."""

import json
from datetime import timedelta

import pytest
from django.contrib.admin.utils import quote
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.utils import timezone

from policies import tasks
from policies.bundles import publishing
from policies.decision_log import drainer
from policies.models import ActiveBundle, Bundle, Decision, Policy, Rollout, SimulationReport
from policies.rollout import service
from policies.rollout.guards import Guards
from policies.simulation import service as simulations
from tests.helpers.registers import make_officer
from tests.helpers.visitor import question

pytestmark = pytest.mark.django_db
PAGE = "/admin/rollouts/"
HELD = "\tinput.held == false\n"


@pytest.fixture
def policy(register_in_force):
    """Berta's, under which nobody in Germany gets anything."""
    modules = dict(publishing.read_policies())
    modules["decision.rego"] = modules["decision.rego"].replace(HELD, f'{HELD}\tinput.subject.region != "DE"\n', 1)
    digest = publishing.policy_digest(modules, {})
    return Policy.objects.create(digest=digest, modules=modules, author="officer:berta", note="Closing Germany")


@pytest.fixture
def simulated(policy):
    report = simulations.simulate(policy, since=timezone.now() - timedelta(days=1))
    simulations.keep(report, author="operator", policy=policy)
    return policy


@pytest.fixture
def running(simulated):
    return service.start(simulated, actor="officer:berta", reason="a try", guards=Guards(at_least=20))


@pytest.fixture
def ask(api, own_spool):
    api.save("customer-1", "give")

    def asking(times):
        for _ in range(times):
            api.evaluate(question())
        drainer.drain(own_spool)

    return asking


def _text(response):
    return " ".join(response.content.decode().split())


def _seen_and_posted(browser, path, **fields):
    return browser.post(path, {**fields, "seen": browser.get(path).context["step"].seen}, follow=True)


def test_the_empty_page_says_what_will_appear(officer):
    shown = _text(officer.get(PAGE))

    assert "Rollouts appear here, newest first" in shown
    assert "No other policy is published than the one in force." in shown


def test_a_policy_goes_its_whole_way_in_the_browser(officer, policy, ask, own_spool):
    ask(2)
    shown = _text(officer.get("/admin/simulations/"))
    assert f"Policy {policy}" in shown
    officer.post("/admin/simulations/", {"candidate": policy.digest, "days": "7"})
    report = SimulationReport.objects.get()
    simulations.run(report.pk)
    page = f"/admin/policies/policy/{quote(policy.digest)}/"
    assert "2 of 2 decisions would come out differently" in _text(officer.get(f"{page}change/"))

    begun = officer.post(f"{PAGE}start", {"policy": policy.digest, "because": "a try", "at_least": "20"})
    rollout = Rollout.objects.get()
    assert begun.headers["Location"] == f"{PAGE}{rollout.pk}/"
    assert (rollout.reason, rollout.guards["at_least"], rollout.guards["deny_points"]) == ("a try", 20, 2.0)
    assert "It answers no one." in _text(officer.get(f"{PAGE}{rollout.pk}/"))
    ask(5)

    assert officer.get(f"{PAGE}{rollout.pk}/share").status_code == 200
    assert ActiveBundle.objects.get().candidate_share == 0
    _seen_and_posted(officer, f"{PAGE}{rollout.pk}/share", percent="12.5")
    assert ActiveBundle.objects.get().candidate_share == 1_250
    _seen_and_posted(officer, f"{PAGE}{rollout.pk}/promote")

    assert ActiveBundle.objects.get().bundle.policies == policy.modules
    assert "in force for everybody" in _text(officer.get(f"{PAGE}{rollout.pk}/"))


def test_the_policys_own_page_begins_a_rollout_too(officer, simulated):
    page = f"/admin/policies/policy/{quote(simulated.digest)}/"
    assert "Roll out" in _text(officer.get(f"{page}change/"))
    assert officer.get(f"{page}roll-out/").status_code == 200
    assert not Rollout.objects.exists()

    officer.post(f"{page}roll-out/")

    assert Rollout.objects.get().started_by == "officer:anna"
    assert "Rolling out" in _text(officer.get(f"{page}change/"))


def test_without_a_simulation_the_page_says_what_is_missing(officer, policy):
    answer = officer.post(f"{PAGE}start", {"policy": policy.digest}, follow=True)

    assert "Nobody has simulated policy" in _text(answer)
    assert not Rollout.objects.exists()
    page = f"/admin/policies/policy/{quote(policy.digest)}/"
    assert "Choose it on the page Simulations" in _text(officer.get(f"{page}change/"))
    refused = officer.post(f"{page}activate/", follow=True)
    assert "Nobody has simulated policy" in _text(refused)


def test_the_page_shows_what_the_guards_see_and_both_sides_over_time(officer, running, ask):
    ask(6)

    response = officer.get(f"{PAGE}{running.pk}/")

    shown = _text(response)
    assert "They judge after 14 more decisions." in shown
    rows = {row[0]: row[1:] for row in response.context["rows"]}
    assert rows["Decisions"] == ("6", "6", "–")  # noqa: RUF001
    assert rows["Not permitted"] == ("100.0 %", "0.0 %", "2 points apart")
    assert "Share of denials" in shown
    assert "Permitted now, then not" in shown
    assert shown.count("<svg") >= 2
    assert "Look at it in the log" in shown
    assert "customer-1" not in shown
    assert not any(word in shown for word in ("style=", "<script>", "onclick"))


def test_the_numbers_of_a_plot_stand_in_a_table_beside_it(officer, running, ask):
    ask(4)

    denials, kinds = officer.get(f"{PAGE}{running.pk}/").context["figures"]

    assert denials.rows[0][1:] == ("100 %", "0 %")
    assert kinds.rows == (("Permitted now, then not", "4"),)


def test_a_decision_says_what_the_candidate_would_have_said(officer, running, ask):
    ask(1)

    shown = _text(officer.get(f"/admin/policies/decision/{Decision.objects.get().pk}/change/"))

    assert "A candidate beside it would have said" in shown
    assert "Not permitted</span> Level:" in shown


def test_a_roll_back_is_told_with_its_reason_here_and_on_the_start_page(officer, running, ask):
    assert "A rollout is running" in _text(officer.get("/admin/"))
    ask(25)
    tasks.watch_rollout()

    shown = _text(officer.get(f"{PAGE}{running.pk}/"))

    why = "100.0 % of the decisions of the candidate were denials, 0.0 % of the active one"
    assert why in shown
    assert "rolled back by a guard" in shown
    start = _text(officer.get("/admin/"))
    assert "A policy was rolled back by itself" in start
    assert why in start
    assert why in _text(officer.get(PAGE))
    Rollout.objects.update(ended_at=timezone.now() - timedelta(days=8))
    assert "A policy was rolled back by itself" not in _text(officer.get("/admin/"))


def test_a_rollout_nobody_watches_is_loud_everywhere(officer, running):
    assert "long ago" not in _text(officer.get(f"{PAGE}{running.pk}/"))
    Rollout.objects.update(watched_at=timezone.now() - timedelta(minutes=5))

    assert "That is long ago." in _text(officer.get(f"{PAGE}{running.pk}/"))
    assert "A rollout is not watched" in _text(officer.get("/admin/"))


def test_an_emergency_is_loud_on_the_start_page(officer, policy):
    service.start(policy, actor="officer:berta", reason="people are harmed", emergency=True)

    assert "A rollout was begun in an emergency" in _text(officer.get("/admin/"))
    assert "people are harmed" in _text(officer.get(f"{PAGE}{Rollout.objects.get().pk}/"))


def test_stopping_takes_its_reason(officer, running):
    refused = officer.post(f"{PAGE}{running.pk}/stop", {"because": " "}, follow=True)
    assert "Say why" in _text(refused)
    refused = officer.post(f"{PAGE}{running.pk}/stop", {"because": "not\x00now"}, follow=True)
    assert "The reason holds a NUL character" in _text(refused)

    officer.post(f"{PAGE}{running.pk}/stop", {"because": "not now"})

    running.refresh_from_db()
    assert (running.state, running.why, running.ended_by) == ("stopped", "not now", "officer:anna")


@pytest.mark.parametrize("percent", ["", "ten", "nan", "inf", "-1", "100.5"])
def test_a_share_that_makes_no_sense_is_refused_in_a_sentence(officer, running, percent):
    answer = officer.post(f"{PAGE}{running.pk}/share", {"percent": percent}, follow=True)

    assert "between 0 and 100" in _text(answer)
    assert ActiveBundle.objects.get().candidate_share == 0


@pytest.mark.parametrize("limit", ["x", "0", "nan"])
def test_limits_that_make_no_sense_are_refused_in_a_sentence(officer, simulated, limit):
    answer = officer.post(f"{PAGE}start", {"policy": simulated.digest, "deny_points": limit}, follow=True)

    assert "The guards" in _text(answer)
    assert not Rollout.objects.exists()


def test_the_author_is_shown_no_way_to_widen_and_is_refused_one(running):
    author = Client()
    author.force_login(User.objects.create_superuser("berta", password="a long password"))

    shown = _text(author.get(f"{PAGE}{running.pk}/"))
    assert "Another officer has to approve this rollout." in shown
    assert "Widen or narrow" not in shown
    refused = author.post(f"{PAGE}{running.pk}/share", {"percent": "10"}, follow=True)
    assert "You are its author." in _text(refused)
    refused = author.post(f"{PAGE}{running.pk}/promote", follow=True)
    assert "You are its author." in _text(refused)
    assert ActiveBundle.objects.get().candidate_share == 0


def test_who_may_only_look_does_nothing_and_who_may_not_look_sees_nothing(running, simulated):
    reader, nobody = Client(), Client()
    user = User.objects.create_user("ben", password="a long password", is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename="view_rollout"))
    reader.force_login(user)
    nobody.force_login(User.objects.create_user("eve", password="a long password", is_staff=True))

    assert reader.get(PAGE).status_code == 200
    assert "Stop" not in _text(reader.get(f"{PAGE}{running.pk}/"))
    for path in ("share", "promote", "stop"):
        assert reader.get(f"{PAGE}{running.pk}/{path}").status_code == 403
        assert reader.post(f"{PAGE}{running.pk}/{path}", {"percent": "10", "because": "x"}).status_code == 403
    assert reader.post(f"{PAGE}start", {"policy": simulated.digest}).status_code == 403
    assert nobody.get(PAGE).status_code == 403
    assert nobody.get(f"{PAGE}{running.pk}/").status_code == 403
    assert Client().get(PAGE).status_code == 302
    running.refresh_from_db()
    assert running.is_open


def test_an_unknown_step_and_an_unknown_rollout_are_not_found(officer, running):
    assert officer.get(f"{PAGE}{running.pk}/more").status_code == 404
    assert officer.get(f"{PAGE}{running.pk + 1}/").status_code == 404


def test_a_stored_candidate_is_no_revision_in_force(officer, policy):
    officer.post("/admin/simulations/", {"candidate": policy.digest, "days": "1"})

    stored = Bundle.objects.get(policies=policy.modules)
    assert ActiveBundle.objects.get().bundle_id != stored.pk
    assert json.loads(stored.data) == json.loads(ActiveBundle.objects.get().bundle.data)


def test_a_share_set_since_the_page_was_opened_is_refused(officer, running):
    path = f"{PAGE}{running.pk}/share"
    seen = officer.get(path).context["step"].seen
    service.set_share(running.pk, 500, actor=make_officer("carla"))

    refused = officer.post(path, {"percent": "50", "seen": seen}, follow=True)

    assert "has changed since you opened it" in _text(refused)
    assert ActiveBundle.objects.get().candidate_share == 500
    _seen_and_posted(officer, path, percent="50")
    assert ActiveBundle.objects.get().candidate_share == 5_000
