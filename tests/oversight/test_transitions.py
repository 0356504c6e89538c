"""Every step from every state: what the table allows is done, and nothing else."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from common.actors import Officer
from oversight.changes import applying, approval, drafting, states, undoing
from oversight.changes.states import TRANSITIONS, State, Step
from oversight.models import ChangeSet
from oversight.problems import NotNow
from tests.helpers.registers import drafted, purpose_with

Take = Callable[[ChangeSet, Officer, Officer], object]
STEPS: dict[Step, Take] = {
    Step.PROPOSED: lambda s, a, _b: drafting.propose(s, actor=a, reason=""),
    Step.REOPENED: lambda s, a, _b: drafting.reopen(s, actor=a),
    Step.WITHDRAWN: lambda s, a, _b: drafting.withdraw(s, actor=a),
    Step.APPLIED: lambda s, _a, b: approval.approve(s, actor=b, seen=s.digest),
    Step.REFUSED: lambda s, _a, b: approval.refuse(s, actor=b, seen=s.digest, reason="no"),
    Step.APPLIED_IN_EMERGENCY: lambda s, a, _b: applying.apply_in_emergency(s, actor=a, reason="fire"),
    Step.APPLIED_PROTECTIVELY: lambda s, a, _b: applying.apply_protectively(s, actor=a, reason=""),
    Step.UNDONE: lambda s, _a, b: applying.apply_in_emergency(undoing.undo(s, actor=b), actor=b, reason="fire"),
}
# How a set comes into each state from a draft.
WAYS: dict[str, list[Step]] = {
    State.DRAFT: [],
    State.PROPOSED: [Step.PROPOSED],
    State.IN_FORCE: [Step.PROPOSED, Step.APPLIED],
    State.REFUSED: [Step.PROPOSED, Step.REFUSED],
    State.WITHDRAWN: [Step.WITHDRAWN],
    State.UNDONE: [Step.APPLIED_IN_EMERGENCY, Step.UNDONE],
}


@pytest.mark.django_db
@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("state", WAYS)
def test_a_step_is_taken_exactly_where_the_table_allows_it(anna: Officer, ben: Officer, state: str, step: Step) -> None:
    change_set = drafted(anna, purpose_with("recommendations", is_active=False))
    for way in WAYS[state]:
        STEPS[way](change_set, anna, ben)
    change_set.refresh_from_db()
    assert change_set.state == state

    if states.allows(state, step):
        STEPS[step](change_set, anna, ben)
        change_set.refresh_from_db()
        assert change_set.state == TRANSITIONS[step].target
        assert change_set.steps.last().kind == step
    else:
        with pytest.raises(NotNow):
            STEPS[step](change_set, anna, ben)
        change_set.refresh_from_db()
        assert change_set.state == state


@given(st.sampled_from(list(State)), st.sampled_from(list(TRANSITIONS)))
def test_the_table_leads_where_it_says(state: State, step: Step) -> None:
    if states.allows(state, step):
        assert states.target(state, step) == TRANSITIONS[step].target
    else:
        with pytest.raises(NotNow):
            states.target(state, step)


class Life(RuleBasedStateMachine):
    """A set led by any order of steps, as the table says."""

    def __init__(self) -> None:
        super().__init__()
        self.state: str = State.DRAFT
        self.was_in_force = False

    @rule(step=st.sampled_from(list(TRANSITIONS)))
    def take(self, step: Step) -> None:
        if not states.allows(self.state, step):
            return
        before, self.state = self.state, states.target(self.state, step)
        assert before not in (State.REFUSED, State.WITHDRAWN, State.UNDONE), "an end is an end"
        self.was_in_force |= self.state == State.IN_FORCE

    @invariant()
    def only_what_was_in_force_is_undone(self) -> None:
        assert self.state != State.UNDONE or self.was_in_force
        assert not self.was_in_force or self.state in (State.IN_FORCE, State.UNDONE)


TestLife = Life.TestCase
