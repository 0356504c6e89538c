"""Any order of choices against a model a child could check: a stored no stays no until somebody says yes."""

from datetime import UTC, datetime, timedelta
from itertools import count
from uuid import UUID

import pytest
from django.utils import timezone
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from common.http.problems import Problem
from consent.ledger import ledger, selectors, verification
from consent.models import ConsentRecord, DataSubject
from consent.pseudonyms import subject_ref
from tests.helpers.scale import scale

CONSENTED, OBJECTABLE = "recommendations", "usage_statistics"
LASTS = timedelta(days=730)
_people = count()

# (purpose, state before) -> choice -> state after, or the code of the refusal
_CONSENT = {
    "never_asked": {"give": "given", "refuse": "refused", "withdraw": "nothing_to_withdraw"},
    "given": {"give": "given", "refuse": "withdrawn", "withdraw": "withdrawn"},
    "refused": {"give": "given", "refuse": "refused", "withdraw": "nothing_to_withdraw"},
    "withdrawn": {"give": "given", "refuse": "refused", "withdraw": "nothing_to_withdraw"},
}
_INTEREST = {
    "not_required": {"object": "objected", "give": "consent_not_asked", "refuse": "consent_not_asked"},
    "objected": {"object": "objected", "give": "lifted", "refuse": "consent_not_asked"},
    "lifted": {"object": "objected", "give": "consent_not_asked", "refuse": "consent_not_asked"},
}


class Ledger(RuleBasedStateMachine):
    def __init__(self):
        super().__init__()
        self.ref = subject_ref(f"machine-{next(_people)}")
        self.now = datetime(2026, 1, 1, tzinfo=UTC)
        self.stored = {CONSENTED: "never_asked", OBJECTABLE: "not_required"}
        self.expires = None
        self.seen = {CONSENTED: [None], OBJECTABLE: [None]}  # the records a page may still show, oldest first
        self.keys = {}
        self.revision = 0
        timezone.now = lambda: self.now

    def _save(self, purpose, choice, **more):
        key = more.pop("key", None)
        self.now += timedelta(seconds=1)
        return ledger.save_choices(
            ledger.Request(
                subject_ref=self.ref,
                choices=[ledger.Choice(purpose=purpose, choice=choice, **more)],
                source="api",
                actor="service:shop",
                region="DE",
                idempotency_key=key,
            )
        )

    def _expect(self, purpose, choice, saved):
        table = _CONSENT if purpose == CONSENTED else _INTEREST
        after = table[self.stored[purpose]][choice]
        if isinstance(saved, Problem):
            assert saved.code == after
            return
        assert not saved.replayed
        assert saved.records[0]["state"] == {"lifted": "given"}.get(after, after)
        assert saved.subject_revision == self.revision + 1
        self.revision += 1
        self.stored[purpose] = after
        self.seen[purpose].append(UUID(saved.records[0]["id"]))
        if purpose == CONSENTED:
            self.expires = self.now + LASTS if choice == "give" else None

    @rule(choice=st.sampled_from(["give", "refuse", "withdraw"]), named=st.booleans())
    def choose(self, choice, named):
        """Choose, with or without naming the record that the person sees."""
        more = {"supersedes": self.seen[CONSENTED][-1]} if named else {}
        self._expect(CONSENTED, choice, _outcome(self._save, CONSENTED, choice, **more))

    @rule(choice=st.sampled_from(["object", "give", "refuse"]))
    def object_or_not(self, choice):
        self._expect(OBJECTABLE, choice, _outcome(self._save, OBJECTABLE, choice))

    @precondition(lambda self: len(self.seen[CONSENTED]) > 1)
    @rule(choice=st.sampled_from(["give", "refuse", "withdraw"]), data=st.data())
    def choose_on_an_old_page(self, choice, data):
        stale = data.draw(st.sampled_from(self.seen[CONSENTED][:-1]))

        outcome = _outcome(self._save, CONSENTED, choice, supersedes=stale)

        assert isinstance(outcome, Problem)
        assert (outcome.code, outcome.extra["current"]) == ("superseded", str(self.seen[CONSENTED][-1]))

    @rule(key=st.sampled_from("abc"), choice=st.sampled_from(["give", "refuse"]))
    def choose_with_a_key(self, key, choice):
        outcome = _outcome(self._save, CONSENTED, choice, key=f"{self.ref}{key}")

        if key not in self.keys:
            self._expect(CONSENTED, choice, outcome)
            self.keys[key] = (choice, outcome.records)
        elif self.keys[key][0] == choice:
            assert (outcome.replayed, outcome.records) == (True, self.keys[key][1])
        else:
            assert outcome.code == "idempotency_key_reused"

    @rule(days=st.integers(1, 500))
    def let_time_pass(self, days):
        self.now += timedelta(days=days)

    @invariant()
    def the_register_says_what_was_chosen(self):
        person, states = selectors.states(self.ref, now=self.now)
        now = {state.purpose.slug: state.state for state in states}
        expected = self.stored[CONSENTED]
        if expected == "given" and self.expires <= self.now:
            expected = "expired"
        assert now[CONSENTED] == expected
        assert now[OBJECTABLE] == ("objected" if self.stored[OBJECTABLE] == "objected" else "not_required")
        assert (person.revision if person else 0) == self.revision

    def teardown(self):
        revisions = ConsentRecord.objects.filter(subject_id=self.ref).values_list("subject_revision", flat=True)
        assert sorted(revisions) == list(range(1, self.revision + 1))
        verdict = verification.verify_ledger()
        assert verdict.ok, verdict.broken


def _outcome(call, *args, **kwargs):
    try:
        return call(*args, **kwargs)
    except Problem as problem:
        return problem


@scale("histories", small=25, long=400)
@pytest.mark.django_db
def test_a_stored_no_is_only_ever_turned_by_a_later_yes(register_in_force, monkeypatch, histories):
    monkeypatch.setattr(timezone, "now", timezone.now)  # put back what the machine's clock replaces

    run_state_machine_as_test(
        Ledger,
        settings=settings(
            max_examples=histories,
            stateful_step_count=20,
            derandomize=True,
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )

    assert DataSubject.objects.exists()
