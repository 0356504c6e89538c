"""A simulation says what a candidate would have answered, and changes nothing."""

import copy
import json
from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policies.decisions.rendering import compose, failure, render_verdict
from policies.engines import EngineFailure
from policies.engines.embedded import EmbeddedEngine
from policies.engines.replayer import Rules
from policies.simulation import CandidateUnusable
from policies.simulation.replay import replay
from tests.helpers.fact_sheets import BASE, RANDOM_FACTS, drawn_facts, revision
from tests.helpers.policy_engines import REGISTER, bundle_of

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
SINCE = NOW - timedelta(days=7)
IN_FORCE = bundle_of(REGISTER)
STRICT = revision("strict", max_level="segment")
ENGINE = EmbeddedEngine()


def rules_of(bundle):
    return Rules(bundle.revision, bundle.policies, bundle.data_json)


def rendered_for(facts, bundle=IN_FORCE):
    document = msgspec.json.encode(facts)
    try:
        return render_verdict(ENGINE.evaluate(bundle, document), document, "embedded")
    except EngineFailure as failed:
        return failure(failed.reason, bundle.revision, document)


def line(rendered, *, at=NOW - timedelta(hours=3), caller="service:shop"):
    options = {"subject": b"00" * 16, "subject_revision": 1, "valid_until": None, "duration_us": 300}
    return compose(rendered, caller=caller, at=at.timestamp(), **options)[1].decode().rstrip("\n")


def logged(*sheets, bundle=IN_FORCE):
    return [line(rendered_for(facts, bundle)) for facts in sheets]


def simulated(entries, candidate=IN_FORCE, base=IN_FORCE, **options):
    return replay(entries, candidate=rules_of(candidate), base=rules_of(base), since=SINCE, until=NOW, **options)


def sheet(**changes):
    facts = copy.deepcopy(BASE)
    for dotted, value in changes.items():
        *parents, last = dotted.split("__")
        place = facts
        for parent in parents:
            place = place[parent]
        place[last] = value
    return facts


def answering(text):
    """A candidate that is one module."""
    return bundle_of(REGISTER | {"revision": "sha256:other"}, {"decision.rego": text})


def test_the_rules_in_force_against_themselves_flip_nothing():
    report = simulated(logged(*drawn_facts(400)))

    assert report.decisions == 400
    assert report.in_force.different == report.as_answered.different == 0
    assert not any(report.in_force.kinds.values())
    assert report.in_force.compared + report.unreadable == 400


def test_a_stricter_candidate_lowers_the_level_and_is_told_by_every_dimension():
    report = simulated(logged(BASE, BASE, sheet(consent__state="withdrawn")), STRICT)

    assert report.decisions == 3
    assert report.distinct == 2, "equal facts are evaluated once"
    assert report.in_force.different == 2
    assert report.in_force.kinds["level_down"] == 2
    row = report.in_force.by["purpose"][BASE["purpose"]]
    assert (row["decisions"], row["different"], row["level_down"]) == (3, 2, 2)
    assert row["reasons_changed"] == 3, "another reason for the same denial is told, but is no difference"
    assert report.in_force.by["jurisdiction"][BASE["subject"]["jurisdiction"]]["different"] == 2
    assert report.in_force.by_reason == {"level_capped_by_purpose": 2}
    assert sum(column["decisions"] for column in report.in_force.over_time) == 3


def test_flips_are_told_apart_by_their_direction():
    data = copy.deepcopy(REGISTER) | {"revision": "sha256:closed"}
    data["purposes"]["recommendations"]["actions"] = []
    closed = bundle_of(data)

    shut = simulated(logged(BASE), closed)
    opened = simulated(logged(BASE, bundle=closed), IN_FORCE, closed)

    assert (shut.in_force.kinds["permit_to_deny"], shut.in_force.kinds["deny_to_permit"]) == (1, 0)
    assert (opened.in_force.kinds["permit_to_deny"], opened.in_force.kinds["deny_to_permit"]) == (0, 1)
    (example,) = shut.in_force.examples["permit_to_deny"]
    assert example["before"]["outcome"] == "permit"
    assert example["after"]["reasons"] == ["action_not_allowed"]
    assert example["facts"] == BASE


def test_what_older_rules_answered_is_compared_with_the_rules_in_force_too():
    report = simulated(logged(BASE, bundle=STRICT), IN_FORCE, IN_FORCE)

    assert report.in_force.different == 0, "the candidate says what the rules in force say"
    assert report.as_answered.kinds["level_up"] == 1, "but not what the older rules said"


def test_what_cannot_be_replayed_is_counted_apart():
    other_package = {"action": "read", "package": "governance.certification", "subject": {}, "resource": {}}
    entries = [
        *logged(BASE),
        line(failure("information_unavailable", "")),
        line(render_verdict(rendered_for(BASE).verdict, json.dumps(other_package).encode(), "embedded")),
        "no entry at all",
    ]

    report = simulated(entries)

    assert report.skipped == {"other_packages": 1, "without_facts": 1, "not_an_entry": 1}
    assert report.in_force.compared == 1


def test_a_failure_of_the_engine_is_asked_again():
    timed_out = line(failure("engine_timeout", IN_FORCE.revision, msgspec.json.encode(BASE)))

    report = simulated([timed_out])

    assert report.in_force.different == 0
    assert report.as_answered.kinds["unknown_to_permit"] == 1


def test_facts_the_candidate_cannot_read_are_no_flips():
    picky = answering(
        'package governance.decision\n\nimport rego.v1\n\nanswer := {"decision": false} if input.action == "x"\n',
    )

    report = simulated(logged(BASE, BASE), picky)

    assert report.unreadable == 2
    assert report.in_force.different == 0
    assert report.unreadable_examples[0]["facts"] == BASE


@pytest.mark.parametrize("text", ["package governance.decision\n\nanswer := {", "no rego at all", ""])
def test_a_candidate_that_cannot_be_read_is_refused_in_a_sentence(text):
    with pytest.raises(CandidateUnusable) as refused:
        simulated(logged(BASE), answering(text))

    assert refused.value.detail.startswith("The candidate cannot be used. The engine says: ")
    assert "\n" not in refused.value.detail
    assert "Stack backtrace" not in refused.value.detail


def test_a_candidate_that_never_ends_is_given_up():
    endless = answering(
        "package governance.decision\n\nimport rego.v1\n\n"
        "answer := count([x | some a in numbers.range(1, 3000); some b in numbers.range(1, 3000); "
        'some c in numbers.range(1, 3000); x := a + b + c]) if input.action != ""\n',
    )

    with pytest.raises(CandidateUnusable, match="ran out of time or memory"):
        simulated(logged(BASE), endless, patience_s=1.5)


def test_a_caller_with_a_hostile_name_is_grouped_like_any_other():
    rendered = rendered_for(BASE)
    names = ["service:shop", 'service:"', 'x","outcome":"permit', "\\", 'ü\\"']

    report = simulated([line(rendered, caller=name) for name in names], STRICT)

    assert (report.decisions, report.distinct, report.in_force.different) == (5, 1, 5)


def test_entries_written_otherwise_are_read_too():
    spaced = json.dumps(json.loads(logged(BASE)[0]), sort_keys=True)

    report = simulated([spaced, *logged(BASE)], STRICT)

    assert report.in_force.different == 2
    assert sum(column["decisions"] for column in report.in_force.over_time) == 2


def test_little_memory_changes_no_count(monkeypatch):
    entries = logged(*drawn_facts(60), *drawn_facts(60))
    roomy = simulated(entries, STRICT).document()

    monkeypatch.setattr("policies.simulation.replay._SETTLE_AT", 7)
    monkeypatch.setattr("policies.simulation.replay._REMEMBERED", 5)
    tight = simulated(entries, STRICT).document()

    for comparison in ("in_force", "as_answered"):
        for part in ("compared", "different", "kinds", "by", "by_reason", "over_time"):
            assert tight[comparison][part] == roomy[comparison][part], part


@settings(max_examples=8, derandomize=True)
@given(picked=st.lists(st.integers(0, 199), min_size=1, max_size=40))
def test_whatever_is_logged_the_rules_in_force_agree_with_themselves(picked):
    sheets = drawn_facts(200)

    report = simulated(logged(*(sheets[number] for number in picked)))

    assert report.in_force.different == report.as_answered.different == 0
    assert report.decisions == len(picked)


def test_both_engines_flip_the_same_decisions(opa_engine):
    drawn = (facts for facts in drawn_facts(10 * RANDOM_FACTS) if facts.get("action") == "personalize")
    sheets = [facts for facts in drawn if rendered_for(facts).outcome == "permit"][:60]
    flipped = sum(
        rendered_for(facts).outcome != render_verdict(opa_engine.evaluate(STRICT, document), document, "opa").outcome
        or (rendered_for(facts).verdict.level or "none") != (opa_engine.evaluate(STRICT, document).level or "none")
        for facts in sheets
        for document in [msgspec.json.encode(facts)]
    )

    report = simulated(logged(*sheets), STRICT)

    assert flipped > 0
    assert report.in_force.different == flipped


def test_the_file_is_plain_json_with_a_version():
    document = simulated(logged(BASE), STRICT).document()

    assert document["format"] == "assent-simulation/1"
    assert json.loads(json.dumps(document)) == document
