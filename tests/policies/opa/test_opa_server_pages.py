"""Officers see which OPA servers decide by the rules in force, which do not, and why, in plain words."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from governance.officers.today import rules
from policies.models import ActiveBundle, ExternalDecision, OpaInstance
from policies.opa import reported_log, servers
from policies.opa.servers import State

pytestmark = pytest.mark.django_db


@pytest.fixture
def officer(register_in_force):
    browser = Client()
    browser.force_login(User.objects.create_superuser("anna", password="a long password"))
    return browser


def _server(name, *, revision=None, ago=timedelta(), errors=()):
    """A server that was heard of so long ago."""
    return OpaInstance.objects.create(
        name=name,
        caller="service:opa",
        bundle_revision=ActiveBundle.objects.get().bundle_id if revision is None else revision,
        errors=list(errors),
        heard_at=timezone.now() - ago,
    )


def _in_force_for(age):
    ActiveBundle.objects.update(activated_at=timezone.now() - age)


STANDINGS = [
    (None, timedelta(), timedelta(days=3), State.CURRENT, False),
    ("sha256:" + "0" * 64, timedelta(), timedelta(seconds=5), State.CURRENT, False),
    ("sha256:" + "0" * 64, timedelta(), timedelta(minutes=7), State.BEHIND, True),
    ("", timedelta(), timedelta(minutes=7), State.EMPTY, True),
    (None, timedelta(minutes=6), timedelta(days=3), State.SILENT, True),
    (None, timedelta(days=2), timedelta(days=3), State.GONE, False),
]


@pytest.mark.parametrize(("revision", "silence", "in_force_for", "state", "alarms"), STANDINGS)
def test_where_a_server_stands(register_in_force, revision, silence, in_force_for, state, alarms):
    _in_force_for(in_force_for)
    _server("opa-1", revision=revision, ago=silence)

    [row] = servers.with_active(OpaInstance.objects.all())

    assert servers.standing(row, now=timezone.now()).state == state
    assert bool(servers.needing_attention()) is alarms


def test_without_rules_in_force_nobody_lags(db):
    OpaInstance.objects.create(name="opa-1", caller="service:opa", errors=[], heard_at=timezone.now())

    assert servers.needing_attention() == []


@pytest.mark.parametrize(
    ("error", "words"),
    [
        ("bundle_error: failed to verify JWT signature: invalid ECDSA signature", "not signed with the key"),
        ("bundle_error: bundle missing .signatures.json file", "has no signature"),
        ("bundle_error: data.json: digest mismatch (want: a, got: b)", "changed after it was signed"),
        ("bundle_error: file more.rego not included in bundle signature", "changed after it was signed"),
        ("bundle_error: scope mismatch", "another use"),
        ("bundle_error: request failed, server replied with Not Found", "after a change of keys"),
        ("bundle_error: request failed, server replied with Unauthorized", "credential"),
        ("bundle_error: request failed: dial tcp 10.0.0.1:443: connect: connection refused", "cannot reach"),
        ("bundle_error: request failed: context deadline exceeded", "in time"),
        ("bundle_error: 1 error occurred: rego_parse_error", "cannot read a rule"),
        ("something new", "no words for"),
    ],
)
def test_what_a_server_reports_is_said_in_words(error, words):
    assert words in servers.in_words(error).lower() or words in servers.in_words(error)


def test_the_list_says_who_lags_since_when_and_why(officer):
    _in_force_for(timedelta(minutes=7))
    _server("opa-good")
    _server("opa-bad", revision="sha256:" + "0" * 64, errors=["bundle_error: bundle missing .signatures.json file"])

    page = officer.get("/admin/policies/opainstance/").content.decode()

    assert page.count("Decides by the rules in force") == 1
    assert page.count("Decides by other rules") == 1
    assert "7 min" in page
    assert "has no signature" in page


def test_a_list_of_servers_costs_no_more_statements_with_more_of_them(officer, sql):
    def cost():
        sql.clear()
        officer.get("/admin/policies/opainstance/")
        return len(sql)

    _server("opa-0")
    cost()
    few = cost()
    for number in range(1, 6):
        _server(f"opa-{number}")

    assert cost() == few


def test_the_page_of_a_server_shows_what_it_said_itself(officer):
    _server("opa-1", errors=["bundle_error: <b>digest mismatch</b>"])

    page = officer.get("/admin/policies/opainstance/opa-1/change/").content.decode()

    assert "changed after it was signed" in page
    assert "&lt;b&gt;digest mismatch" in page


def test_the_start_page_points_to_servers_that_lag(officer):
    _in_force_for(timedelta(minutes=7))
    _server("opa-good")
    assert rules.opa_servers() == []

    _server("opa-bad", revision="", errors=["bundle_error: scope mismatch"])

    page = officer.get("/admin/").content.decode()
    assert "OPA servers do not decide by the rules in force: opa-bad" in page
    assert "another use" in page


def test_decisions_of_opa_servers_are_read_filtered_and_never_changed(officer):
    now = timezone.now()
    rows = [
        ExternalDecision(
            id=f"00000000-0000-4000-8000-00000000000{number}", decided_at=now, received_at=now,
            instance=f"opa-{number}", caller="service:opa", path="other", outcome=outcome, reasons=[reason],
            facts={"action": "personalize"},
        )
        for number, (outcome, reason) in enumerate([("permit", "other"), ("deny", "consent_missing")])
    ]  # fmt: skip
    reported_log.append(rows, caller="service:opa")
    _server("opa-1")
    address = "/admin/policies/externaldecision/"

    assert len(officer.get(address).context["cl"].result_list) == 2
    for query in ("instance=opa-1", "outcome__exact=deny", "reason=consent_missing", f"q={rows[1].pk}"):
        [found] = officer.get(f"{address}?{query}").context["cl"].result_list
        assert str(found.pk) == rows[1].pk, query
    page = officer.get(f"{address}{rows[1].pk}/change/").content.decode()
    assert "batch 1, line 2" in page
    assert officer.post(f"{address}{rows[1].pk}/change/", {"outcome": "permit"}).status_code == 403
    assert officer.post(f"{address}{rows[1].pk}/delete/", {"post": "yes"}).status_code == 403
