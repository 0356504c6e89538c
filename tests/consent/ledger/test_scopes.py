"""Parts of a purpose: the more specific answer counts, a no beats a yes, and no older yes survives a later no."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consent.ledger import scopes

# what stands (place: state), the question (channel, recipient, categories), then: state, channel allowed, left out
CASES = {
    "the whole counts where nothing narrower stands": (
        [("newsletter", "given")], ("email", None, ()), ("given", True, ())
    ),
    "a closed channel": (
        [("newsletter", "given"), ("newsletter?channel=email", "refused")], ("email", None, ()), ("given", False, ())
    ),
    "another channel stays open": (
        [("newsletter", "given"), ("newsletter?channel=email", "refused")], ("post", None, ()), ("given", True, ())
    ),
    "a refused recipient": (
        [("newsletter", "given"), ("newsletter?recipient=mail-house", "refused")],
        ("email", "mail-house", ()),
        ("refused", True, ()),
    ),
    "a later yes to a channel against an earlier no to the whole": (
        [("newsletter", "refused"), ("newsletter?channel=post", "given")], ("post", None, ()), ("given", True, ())
    ),
    "an earlier yes to a channel falls with the whole": (
        [("newsletter?channel=post", "given"), ("newsletter", "withdrawn")], ("post", None, ()), ("withdrawn", True, ())
    ),
    "a no to a channel outlives a later yes to the whole": (
        [("newsletter?channel=email", "refused"), ("newsletter", "given")], ("email", None, ()), ("given", False, ())
    ),
    "two dimensions beat one": (
        [
            ("newsletter", "given"),
            ("newsletter?channel=email", "refused"),
            ("newsletter?channel=email;recipient=mail-house", "given"),
        ],
        ("email", "mail-house", ()),
        ("given", True, ()),
    ),
    "of equally specific answers the no": (
        [("newsletter?channel=email", "given"), ("newsletter?recipient=mail-house", "refused")],
        ("email", "mail-house", ()),
        ("refused", True, ()),
    ),
    "a kind of data is left out": (
        [("newsletter", "given"), ("newsletter?data_category=views", "refused")],
        ("email", None, ("views", "purchases")),
        ("given", True, ("views",)),
    ),
}  # fmt: skip


def standing(answers):
    return {
        place: {"s": state, "r": f"{number:04}", "x": None, "e": False, "n": 1, "src": "api"}
        for number, (place, state) in enumerate(answers)
    }


@pytest.mark.parametrize("case", CASES, ids=str)
def test_what_counts(case):
    answers, (channel, recipient, categories), (state, allowed, left_out) = CASES[case]

    found = scopes.effective(
        standing(answers), "newsletter", channel=channel, recipient=recipient, categories=categories
    )

    assert found.entry["s"] == state
    assert (found.channel_allowed, found.refused_categories) == (allowed, left_out)


_STATES = st.sampled_from(["given", "refused", "withdrawn"])
_PARTS = st.builds(
    scopes.scope_of,
    channel=st.sampled_from([None, "email", "post"]),
    recipient=st.sampled_from([None, "mail-house"]),
)


@given(st.lists(st.tuples(_PARTS, _STATES), max_size=6), st.sampled_from(["email", "post", "web"]))
def test_after_everything_is_turned_off_no_question_is_answered_with_yes(earlier, channel):
    answers = dict([*((scopes.key("newsletter", part), state) for part, state in earlier)])
    consents = standing([*answers.items(), ("newsletter", "withdrawn")])
    consents["newsletter"]["r"] = "9999"

    found = scopes.effective(consents, "newsletter", channel=channel, recipient="mail-house", categories=())

    assert found.entry["s"] in ("refused", "withdrawn")


@given(_PARTS)
def test_a_part_is_read_as_it_was_written(scope):
    assert scopes.scope_of(**scopes.parts(scope)) == scope
