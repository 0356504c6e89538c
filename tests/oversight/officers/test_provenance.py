"""Who may approve whose change sets: read from the trail, by account number, without a time limit."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit import trail
from common.actors import Officer
from oversight.changes import approval
from oversight.officers.provenance import Touch, closure, independent
from oversight.problems import SecondOfficerNeeded
from tests.helpers.registers import make_officer, proposed_by, purpose_with

pytestmark = pytest.mark.django_db


def step(action: str, account: Officer, by: Officer | None, **more: Any) -> None:
    """Record a step on an account as the sign-in of officers does."""
    actor = by or "job:shell"
    details = {"account": account.account, "by": by.account if by else None, **more}
    trail.record(action, f"account:{account.account}", actor=actor, details=details)


def approve(author: Officer, approver: Officer) -> None:
    change_set = proposed_by(author, purpose_with("newsletter", order=77))
    approval.approve(change_set, actor=approver, seen=change_set.digest)


def test_two_accounts_made_on_the_shell_are_independent(anna: Officer, ben: Officer) -> None:
    verdict = independent(anna.account, ben.account)

    assert verdict.is_independent
    assert len(verdict.positions) == 2
    approve(anna, ben)


@pytest.mark.parametrize(
    "action",
    [
        "officer.created", "officer.password_set", "officer.second_factor_set", "officer.recovered",
        "officer.rights_changed", "role.changed",
    ],
)  # fmt: skip
def test_who_set_an_account_up_cannot_be_seconded_by_it(anna: Officer, ben: Officer, action: str) -> None:
    step(action, ben, by=anna)

    with pytest.raises(SecondOfficerNeeded, match="do not count as two persons"):
        approve(anna, ben)
    with pytest.raises(SecondOfficerNeeded):
        approve(ben, anna)


def test_two_accounts_of_a_third_are_one(anna: Officer, ben: Officer) -> None:
    third = make_officer("carl")
    step("officer.created", anna, by=third)
    step("officer.password_set", ben, by=third)

    with pytest.raises(SecondOfficerNeeded, match="“carl” made one of them"):
        approve(anna, ben)


def test_a_chain_of_accounts_is_followed(anna: Officer, ben: Officer) -> None:
    third = make_officer("carl")
    step("officer.password_set", third, by=anna)
    step("officer.password_set", ben, by=third)

    with pytest.raises(SecondOfficerNeeded):
        approve(anna, ben)


def test_a_password_that_the_holder_sets_clears_nothing(anna: Officer, ben: Officer) -> None:
    step("officer.password_set", ben, by=anna)
    step("officer.password_set", ben, by=ben)

    assert not independent(anna.account, ben.account).is_independent


def test_a_renamed_account_is_the_same(anna: Officer, ben: Officer) -> None:
    step("officer.password_set", ben, by=anna)
    renamed = Officer.of("else", ben.account)

    with pytest.raises(SecondOfficerNeeded):
        approve(anna, renamed)


def test_an_author_who_renames_himself_is_the_author(anna: Officer) -> None:
    change_set = proposed_by(anna, purpose_with("newsletter", order=77))

    with pytest.raises(SecondOfficerNeeded, match="its author"):
        approval.approve(change_set, actor=Officer.of("else", anna.account), seen=change_set.digest)


def test_the_operator_vouches_for_an_account(anna: Officer, ben: Officer) -> None:
    step("officer.password_set", ben, by=anna)
    step("officer.vouched", ben, by=None)

    assert independent(anna.account, ben.account).is_independent
    step("officer.rights_changed", ben, by=anna)
    assert not independent(anna.account, ben.account).is_independent


def test_an_account_older_than_the_trail_is_not_independent(anna: Officer) -> None:
    verdict = independent(anna.account, 999_999)

    assert (verdict.is_independent, "does not say who made" in verdict.why) == (False, True)


def test_a_seconded_step_is_nobodys(anna: Officer, ben: Officer) -> None:
    change_set = proposed_by(anna, purpose_with("newsletter", order=77))
    approval.approve(change_set, actor=ben, seen=change_set.digest)
    third = make_officer("carl")

    step("role.changed", third, by=anna, set=change_set.pk)
    assert independent(anna.account, third.account).is_independent

    unseconded = proposed_by(anna, purpose_with("newsletter", order=78))
    step("role.changed", third, by=anna, set=unseconded.pk)
    assert not independent(anna.account, third.account).is_independent


ACCOUNTS = st.integers(1, 6)
TOUCHES = st.dictionaries(ACCOUNTS, st.lists(st.builds(Touch, st.none() | ACCOUNTS, st.just(1)), max_size=3))


@given(TOUCHES, ACCOUNTS)
def test_who_may_be_an_account_is_closed(touches: dict[int, list[Touch]], account: int) -> None:
    found = closure(account, touches)

    assert account in found
    for member in found:
        assert {touch.by for touch in touches.get(member, ()) if touch.by is not None} <= found


@given(TOUCHES, ACCOUNTS, ACCOUNTS)
def test_sharing_an_origin_goes_both_ways(touches: dict[int, list[Touch]], a: int, b: int) -> None:
    assert bool(closure(a, touches) & closure(b, touches)) == bool(closure(b, touches) & closure(a, touches))
    if a in closure(b, touches):
        assert closure(a, touches) <= closure(b, touches)
