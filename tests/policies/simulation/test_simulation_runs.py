"""A simulation over the database: asked for by command or in the admin, kept, and found by whoever publishes."""

import json
import time
from datetime import timedelta
from io import StringIO
from itertools import count

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from audit.models import AuditEvent
from policies import tasks
from policies.bundles import publishing
from policies.decision_log.drainer import drain
from policies.models import ActiveBundle, Bundle, Decision, SimulationReport
from policies.simulation import CandidateUnusable, latest_report, service, simulate
from tests.helpers.wsgi_calls import call, question

DAY = timedelta(days=1)
State = SimulationReport.State


@pytest.fixture
def log(shop_token, own_spool, monkeypatch):
    """Two permits of customer-1, then a denial of a stranger: never two in one millisecond, which have no order."""
    began, ticks = time.time_ns(), count()
    with monkeypatch.context() as patched:
        patched.setattr(time, "time_ns", lambda: began + next(ticks) * 1_000_000)
        for person in ("customer-1", "customer-1", "stranger"):
            call(question(person), shop_token)
    drain(own_spool)


@pytest.fixture
def candidate(shop_token):
    """A stored revision under which recommendations may do nothing."""
    active = ActiveBundle.objects.get().bundle
    data = json.loads(active.data)
    data["purposes"]["recommendations"]["actions"] = []
    revision = publishing.revision_of(active.policies, data)
    return Bundle.objects.create(
        revision=revision, policies=active.policies, data=json.dumps(data), reason="closing", actor="test"
    )


def since():
    return timezone.now() - DAY


def test_a_stored_revision_is_simulated_and_nothing_in_force_changes(log, candidate):
    in_force = ActiveBundle.objects.get().bundle_id

    report = simulate(candidate.revision, since=since())

    assert report.decisions == 3
    assert report.in_force.kinds["permit_to_deny"] == 2
    assert ActiveBundle.objects.get().bundle_id == in_force
    assert Decision.objects.count() == 3, "a replay is no decision"
    assert not SimulationReport.objects.exists(), "nothing is kept unless somebody keeps it"


def test_only_the_newest_are_read_where_a_limit_is_set(log, candidate):
    report = simulate(candidate.revision, since=since(), limit=1)

    assert report.decisions == 1
    assert report.in_force.different == 0, "the newest is the stranger's denial"


def test_decisions_outside_the_window_are_left_alone(log, candidate):
    report = simulate(candidate.revision, since=since(), until=timezone.now() - timedelta(hours=1))

    assert report.decisions == 0


def test_pages_are_read_to_their_end(log, monkeypatch):
    monkeypatch.setattr(service, "_PAGE", 2)

    assert len(list(service.entries(since=since(), until=timezone.now()))) == 3


def test_a_folder_is_a_candidate_over_the_data_in_force(log, tmp_path):
    for name, text in publishing.read_policies().items():
        (tmp_path / name).write_text(text)
    (tmp_path / "decision_test.rego").write_text("no rego")

    report = simulate(tmp_path, since=since())

    assert report.in_force.different == 0
    assert report.candidate == ActiveBundle.objects.get().bundle_id, "the same rules have the same digest"


@pytest.mark.parametrize("name", ["sha256:" + "0" * 64, "/nowhere/at/all"])
def test_what_is_no_candidate_is_refused_in_a_sentence(log, name):
    with pytest.raises(CandidateUnusable, match=r"[Nn]o revision"):
        simulate(name, since=since())


def test_data_that_is_no_bundles_data_is_refused_in_a_sentence(log, tmp_path):
    (tmp_path / "decision.rego").write_text("package governance.decision\n")
    (tmp_path / "data.json").write_text('{"purposes": []}')

    with pytest.raises(CandidateUnusable, match=r"data\.json"):
        simulate(tmp_path, since=since())


def test_the_command_tells_writes_and_keeps(log, candidate, tmp_path):
    said, path = StringIO(), tmp_path / "report.json"

    call_command("simulate", candidate.revision, "--since", "1d", "-o", str(path), stdout=said)

    assert "Of 3 decisions 2 would come out differently than by the rules in force." in said.getvalue()
    assert json.loads(path.read_text())["in_force"]["different"] == 2
    kept = latest_report(candidate.revision)
    assert kept.counts["permit_to_deny"] == 2
    assert kept.document == json.loads(path.read_text())
    assert AuditEvent.objects.filter(action="simulation.finished", object=candidate.revision).exists()


def test_the_command_refuses_a_broken_candidate_in_a_sentence(log, tmp_path):
    (tmp_path / "decision.rego").write_text("package governance.decision\n\nanswer := {\n")

    with pytest.raises(CommandError, match=r"The candidate cannot be used\. The engine says: decision\.rego:"):
        call_command("simulate", str(tmp_path), stdout=StringIO())

    assert not SimulationReport.objects.exists()


def test_a_simulation_that_was_asked_for_is_run_once(log, candidate):
    row = service.request_simulation(
        candidate=candidate.revision, since=since(), until=timezone.now(), author="officer:anna"
    )
    assert (row.state, latest_report(candidate.revision)) == (State.WAITING, None)

    tasks.run_simulation(str(row.pk))
    tasks.run_simulation(str(row.pk))

    row.refresh_from_db()
    assert (row.state, row.decisions_read, row.decisions_expected) == (State.DONE, 3, 3)
    assert latest_report(candidate.revision) == row
    told = list(AuditEvent.objects.filter(object=candidate.revision).order_by("pk").values_list("action", "actor"))
    assert told == [("simulation.requested", "officer:anna"), ("simulation.finished", "officer:anna")]


def test_a_simulation_that_fails_says_why_and_is_no_report(log, shop_token):
    broken = Bundle.objects.create(
        revision="sha256:" + "1" * 64,
        policies={"decision.rego": "no rego"},
        data=ActiveBundle.objects.get().bundle.data,
        reason="broken",
        actor="test",
    )
    row = service.request_simulation(
        candidate=broken.revision, since=since(), until=timezone.now(), author="officer:anna"
    )

    service.run(row.pk)

    row.refresh_from_db()
    assert row.state == State.FAILED
    assert row.error.startswith("The candidate cannot be used.")
    assert latest_report(broken.revision) is None


def test_the_sweep_finds_what_nobody_works_on(log, candidate):
    ask = {"candidate": candidate.revision, "since": since(), "until": timezone.now(), "author": "officer:anna"}
    waiting = service.request_simulation(**ask)
    killed, alive = service.request_simulation(**ask), service.request_simulation(**ask)
    long_ago = timezone.now() - service.STALLED_AFTER * 2
    SimulationReport.objects.filter(pk=killed.pk).update(state=State.RUNNING, moved_at=long_ago)
    SimulationReport.objects.filter(pk=alive.pk).update(state=State.RUNNING)

    assert set(service.to_take_up()) == {waiting.pk, killed.pk}


def test_nobody_asks_for_a_revision_that_is_not_stored(log):
    with pytest.raises(CandidateUnusable):
        service.request_simulation(
            candidate="sha256:" + "0" * 64, since=since(), until=timezone.now(), author="officer:anna"
        )
