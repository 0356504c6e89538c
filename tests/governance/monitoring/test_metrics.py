"""GET /metrics: for credentials with the scope, in the format Prometheus reads, without a person in it."""

import json
import secrets
import uuid
from datetime import timedelta
from decimal import Decimal

import pytest
from django.test import Client
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families

from audit import trail
from common.identifiers import uuid7_floor
from consent.models import Purpose
from policies.bundles import publishing
from policies.decision_log import drainer, figures
from policies.endpoints import credentials
from policies.models import Decision, Policy
from policies.rollout import service
from privacy.models import BudgetSpend, Disposal, PrivacyBudget
from tests.helpers.registers import make_officer
from tests.helpers.visitor import question

pytestmark = pytest.mark.django_db
PROMETHEUS = "application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.3"


def _scrape(token, **headers):
    sent = {"Accept": PROMETHEUS, **({"Authorization": f"Bearer {token}"} if token else {}), **headers}
    return Client().get("/metrics", headers=sent)


def _samples(token):
    answer = _scrape(token)
    assert answer.status_code == 200
    families = text_string_to_metric_families(answer.content.decode())
    return {(s.name, *sorted(s.labels.values())): s.value for family in families for s in family.samples}


def test_only_a_credential_with_the_scope_reads_metrics(token):
    others = [scope for scope in credentials.ServiceCredential.Scope.values if scope != "metrics"]
    without = credentials.create_credential(name="all-else", scopes=others, actor="test")[0]
    scraper = credentials.create_credential(name="prometheus", scopes=["metrics"], actor="test")[0]

    answers = {name: _scrape(value) for name, value in [("none", None), ("wrong", "x"), ("other", without)]}

    assert {name: answer.status_code for name, answer in answers.items()} == {"none": 401, "wrong": 401, "other": 403}
    assert {json.loads(a.content)["code"] for a in answers.values()} == {"unauthenticated", "forbidden"}
    assert _scrape(scraper).status_code == 200


def test_an_officers_session_is_no_credential(officer):
    assert officer.get("/metrics").status_code == 401


def test_the_answer_is_text_exposition_and_is_not_kept(token):
    answer = _scrape(token)

    assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
    assert answer.headers["Cache-Control"] == "no-store"
    assert list(text_string_to_metric_families(answer.content.decode()))


def test_decisions_are_counted_by_outcome_and_reason_once_they_are_in_the_log(api, token, own_spool):
    api.save("customer-1", "give")
    api.evaluate(question("customer-1"))
    api.evaluate(question("customer-2"))
    waiting = _samples(token)
    drainer.drain(own_spool)
    drained = _samples(token)

    assert waiting["assent_spool_waiting_bytes",] > 500
    assert 0 < waiting["assent_spool_lag_seconds",] < 60
    assert (drained["assent_spool_waiting_bytes",], drained["assent_spool_lag_seconds",]) == (0, 0)
    counted = {key: value for key, value in drained.items() if key[0] == "assent_recent_decisions"}
    assert sum(counted.values()) == 2
    assert sum(value for key, value in counted.items() if "unknown" in key) == 1
    took = [drained["assent_recent_decision_seconds", q] for q in ("0.5", "0.95", "0.99")]
    assert 0 < took[0] <= took[1] <= took[2] < 10


def _logged(outcome, reasons, microseconds, *, ago=timedelta(minutes=1)):
    moment = timezone.now() - ago
    drainer.ensure_partition(moment.date().isoformat())
    Decision.objects.create(
        id=uuid.UUID(int=uuid7_floor(moment).int + secrets.randbits(60)), decided_at=moment, batch_id=1, position=0,
        subject_tag=b"", outcome=outcome, reasons=reasons, entry=f'{{"duration_us":{microseconds},"x":1}}',
    )  # fmt: skip


def test_reasons_nobody_foresaw_share_one_label_and_old_decisions_are_left_out(token):
    for number in range(10):
        _logged("deny", [f"rule_of_the_house_{number}", "minor"], 1000 * (number + 1))
    _logged("unknown", ["engine_timeout"], 11_000)
    _logged("deny", ["minor"], 1, ago=timedelta(minutes=6))

    samples = _samples(token)

    counted = {key[1:]: value for key, value in samples.items() if key[0] == "assent_recent_decisions"}
    assert counted == {("deny", "other"): 10, ("engine_timeout", "unknown"): 1}
    assert samples["assent_recent_decision_seconds", "0.5"] == pytest.approx(0.006)
    assert samples["assent_recent_decision_seconds", "0.99"] == pytest.approx(0.011)


def test_consents_are_told_from_20_people_on_and_no_person_is_in_any_label(api, token):
    for number in range(20):
        api.save(f"customer-{number}", "give")
        if number:
            api.save(f"customer-{number}", "give", "newsletter")

    samples = _samples(token)

    told = {key[1:]: value for key, value in samples.items() if key[0] == "assent_consents"}
    assert told == {("given", "recommendations"): 20}
    text = _scrape(token).content.decode()
    assert "customer" not in text
    assert "shop" not in text


def test_what_is_left_of_a_privacy_budget_is_given(token):
    samples = _samples(token)
    assert (samples["assent_privacy_budget_left", "consents"], samples["assent_statistics_withheld",]) == (1, 0)

    budget = PrivacyBudget.objects.get()
    BudgetSpend.objects.create(budget=budget, release_key="k", epsilon=Decimal("0.75"))

    samples = _samples(token)
    assert (samples["assent_privacy_budget_left", "consents"], samples["assent_statistics_withheld",]) == (0.25, 1)


def test_open_deletions_the_bundle_and_the_anchor_have_an_age(token):
    purpose = Purpose.objects.first()
    for ago in (10, 20):
        Disposal.objects.create(
            reason="withdrawal",
            purpose=purpose,
            before=timezone.now(),
            queued_at=timezone.now() - timedelta(minutes=ago),
        )
    trail.anchor()

    samples = _samples(token)

    assert samples["assent_disposals_open", "queued"] == 2
    assert samples["assent_disposals_open", "running"] == 0
    assert samples["assent_disposal_oldest_seconds",] == pytest.approx(1200, abs=30)
    assert samples["assent_bundle_active",] == 1
    assert samples["assent_bundle_age_seconds",] < 60
    assert samples["assent_audit_anchor_age_seconds",] < 60
    assert samples["assent_audit_unsealed_seconds",] == 0


def test_a_part_that_cannot_be_read_is_named_and_the_rest_is_told(token, monkeypatch, caplog):
    monkeypatch.setattr(figures, "_LATELY", "SELECT no_such_column, %s, %s, %s")

    samples = _samples(token)

    assert samples["assent_scrape_failed", "decisions"] == 1
    assert samples["assent_scrape_failed", "spool"] == 0
    assert samples["assent_bundle_active",] == 1
    assert "could not be read" in caplog.text


def test_a_scrape_costs_the_same_statements_whatever_is_stored(api, token, own_spool, sql):
    def cost():
        sql.clear()
        _samples(token)
        return len([statement for statement in sql if "SAVEPOINT" not in statement])

    few = cost()
    for number in range(30):
        api.save(f"customer-{number}", "give")
        api.evaluate(question(f"customer-{number}"))
    drainer.drain(own_spool)
    trail.anchor()

    assert few <= cost() == 24


def test_a_rollout_is_told_by_side_and_by_difference(api, token, own_spool):
    api.save("customer-1", "give")
    quiet = _samples(token)
    modules = dict(publishing.read_policies())
    modules["decision.rego"] = modules["decision.rego"].replace("\tinput.held == false\n", "\tinput.held == true\n", 1)
    digest = publishing.policy_digest(modules, {})
    policy = Policy.objects.create(digest=digest, modules=modules, author="officer:anna", note="")
    rollout = service.start(policy, actor="officer:anna", reason="test", emergency=True)
    api.evaluate(question("customer-1"))
    service.set_share(rollout.pk, 10_000, actor=make_officer("berta"))
    api.evaluate(question("customer-1"))
    drainer.drain(own_spool)

    told = _samples(token)

    assert (quiet["assent_rollout_open",], quiet["assent_rollout_share",]) == (0, 0)
    assert (told["assent_rollout_open",], told["assent_rollout_share",]) == (1, 1)
    assert told["assent_rollout_recent_decisions", "active", "permit"] == 1
    assert told["assent_rollout_recent_decisions", "candidate", "deny"] == 1
    assert told["assent_rollout_recent_differences", "permit_to_deny"] == 1
    assert told["assent_scrape_failed", "rollout"] == 0
