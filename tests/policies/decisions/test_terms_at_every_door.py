"""Who agreed before a purpose was widened is not stretched: at every endpoint, in both engines, for each widening.

Kind: a rule that is tested where it is written, but has to hold at each door that leads to it. The table says what was
widened, what is asked then, and what a person hears who agreed before (``earlier``); who agrees to the new notice is
permitted all of it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone

from audit import signing
from consent.models import Purpose
from consent.register import register
from policies import engines
from policies.cells import replication
from policies.cells.client import Reply
from policies.cells.release import write_release
from policies.engines.opa import OpaEngine
from tests.helpers.decision_doors import Asked, Heard, as_heard_at, doors
from tests.helpers.wsgi_calls import call

Fields = dict[str, Any]
_NARROW: Fields = {
    "data_categories": ["views", "purchases"],
    "actions": ["personalize", "collect"],
    "recipients": ["parcel-carrier"],
    "channels": ["email"],
    "max_level": "behavioral",
}


ALL_OF_IT = Heard(True, "behavioral")


@dataclass(frozen=True)
class Widening:
    """``adds``: the members of the purpose with what they say from now on."""

    adds: Fields
    asked: Fields
    earlier: Heard
    new: Heard = ALL_OF_IT


WIDENED = {
    "another kind of data, asked for by itself": Widening(
        adds={"data_categories": ["views", "purchases", "ratings"]},
        asked={"data": ("ratings",)},
        earlier=Heard(False, asks_again_about=("ratings",)),
    ),
    "another kind of data, next to what was agreed": Widening(
        adds={"data_categories": ["views", "purchases", "ratings"]},
        asked={"data": ("ratings", "views")},
        earlier=Heard(True, "behavioral", left_out=("ratings",), asks_again_about=("ratings",)),
    ),
    "another kind of data, and a question that names none": Widening(
        adds={"data_categories": ["views", "purchases", "ratings"]},
        asked={"data": ()},
        earlier=Heard(True, "behavioral", left_out=("ratings",), asks_again_about=("ratings",)),
    ),
    "another recipient": Widening(
        adds={"recipients": ["parcel-carrier", "mail-house"]},
        asked={"recipient": "mail-house"},
        earlier=Heard(False, asks_again_about=("mail-house",)),
    ),
    "another channel": Widening(
        adds={"channels": ["email", "sms"]},
        asked={"channel": "sms"},
        earlier=Heard(False, asks_again_about=("sms",)),
    ),
    "another action": Widening(
        adds={"actions": ["personalize", "collect", "share"]},
        asked={"action": "share", "recipient": "parcel-carrier"},
        earlier=Heard(False, asks_again_about=("share",)),
        new=Heard(True),
    ),
    "a higher level": Widening(
        adds={"max_level": "individual"},
        asked={"level": "individual"},
        earlier=Heard(True, "behavioral", asks_again_about=("level",)),
        new=Heard(True, "individual"),
    ),
}
"""What was agreed before stays as it was: asked about views at the level agreed to."""
AS_AGREED = Heard(True, "behavioral")
PURPOSES = {"own yes": "recommendations", "yes to the broader purpose": "personalization"}


@pytest.fixture(params=["embedded", "opa"])
def engine(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param == "opa":
        opa: OpaEngine = request.getfixturevalue("opa_engine")
        monkeypatch.setattr(engines, "for_revision", lambda *_: opa)


@pytest.fixture
def agree(shop_token: str) -> Callable[[str, str], None]:
    def agreed(person: str, purpose: str) -> None:
        subject = {"id": person, "region": "DE", "age_band": "adult"}
        body = {"subject": subject, "choices": [{"purpose": purpose, "choice": "give"}]}
        answer = call(body, shop_token, path="/api/v1/consents")
        assert answer.status == 201, answer.body

    return agreed


def _say(fields: Fields, *, is_material: bool = False) -> None:
    """Put the fields into both purposes, each with the next version of its notice."""
    for slug in PURPOSES.values():
        purpose = Purpose.objects.get(slug=slug)
        for name, value in fields.items():
            setattr(purpose, name, value)
        register.save_purpose(purpose, actor="officer:test")
        register.publish_notice(purpose=purpose, text="More.", actor="officer:test", is_material=is_material)


def _say_by_release(fields: Fields, become: Callable[..., None]) -> None:
    """Let the primary cell say it, and this cell follow the primary's release."""
    write_release("eu", timezone.now())  # which makes the key that this cell trusts
    keys = signing.published_keys()
    with transaction.atomic():
        _say(fields)
        release = write_release("eu", timezone.now())
        transaction.set_rollback(True)
    become("us", keys=keys)
    body = f'{{"release": "{release}"}}'.encode()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(replication.client, "call", lambda *_, **__: Reply(200, {}, body))
        assert replication.follow() is not None
    become("eu")


@pytest.mark.parametrize("by", ["this installation", "the primary's release"])
@pytest.mark.parametrize("widening", WIDENED.values(), ids=WIDENED)
def test_a_widened_purpose_stretches_no_consent_at_any_door(
    shop_token: str, engine: None, become: Any, agree: Any, widening: Widening, by: str
) -> None:
    _say(_NARROW, is_material=True)
    become("eu")
    every = doors(shop_token, become)
    for purpose in PURPOSES.values():
        agree(f"earlier-{purpose}", purpose)
    # Everything that is remembered of a question is remembered from before.
    before = {door: ask(Asked(person="earlier-recommendations", **widening.asked)) for door, ask in every.items()}
    assert all(heard.asks_again_about in ((), None) for heard in before.values())

    if by == "this installation":
        _say(widening.adds)
    else:
        _say_by_release(widening.adds, become)
    for purpose in PURPOSES.values():
        agree(f"new-{purpose}", purpose)

    expected, found = {}, {}
    for whose, purpose in PURPOSES.items():
        for who, words in (("earlier", widening.earlier), ("new", widening.new)):
            for door, ask in every.items():
                row = (door, who, whose)
                expected[row] = str(as_heard_at(door, words))
                found[row] = str(ask(Asked(person=f"{who}-{purpose}", **widening.asked)))
                expected["as agreed", *row] = str(as_heard_at(door, AS_AGREED))
                found["as agreed", *row] = str(ask(Asked(person=f"{who}-{purpose}", level="behavioral")))
    assert found == expected
