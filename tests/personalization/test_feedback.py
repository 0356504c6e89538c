"""What a person says about a recommendation: not relevant, put aside, and taken back."""

from datetime import timedelta

import pytest
from django.utils import timezone

from consent.pseudonyms import subject_ref
from personalization.models import Event
from personalization.training_data import reading

NOW = timezone.now()


@pytest.fixture
def said(api, shop, deployed, remember):
    """Tell a person's likes, then feedback about one item, oldest first, each with its age in days."""
    api.save("customer-1", "give")
    liked = [item.id for item in shop.items[:6]]

    def say(item, *feedback):
        remember("customer-1", liked, newest=NOW - timedelta(days=60))
        for kind, days in feedback:
            remember("customer-1", [item], kind=kind, weight=0.0, newest=NOW - timedelta(days=days))

    return say


@pytest.mark.parametrize(
    ("feedback", "is_shown"),
    [
        ([], True),
        ([("skip", 1)], False),
        ([("skip", 200)], False),
        ([("skip", 2), ("undo", 1)], True),
        ([("undo", 2), ("skip", 1)], False),
        ([("dismiss", 1)], False),
        ([("dismiss", 31)], True),
        ([("dismiss", 2), ("undo", 1)], True),
        ([("skip", 3), ("undo", 2), ("skip", 1)], False),
    ],
    ids=str,
)
def test_what_was_said_last_counts(said, ask, shop, api, feedback, is_shown):
    api.save("customer-1", "give")
    said("nothing" if not feedback else shop.items[0].id)
    first = ask(count=5)["items"][0]["item"]
    Event.objects.all().delete()

    said(first, *feedback)

    assert (first in [item["item"] for item in ask(count=5)["items"]]) is is_shown


def test_training_reads_a_no_and_its_taking_back(remember, shop):
    ref, item = subject_ref("customer-1"), shop.items[0].id

    def learnt():
        with reading.tables([ref], [item], purpose="recommendations") as tables:
            return list(tables.interactions().item)

    remember(ref, [item], newest=NOW - timedelta(days=3))
    assert learnt() == [item]

    remember(ref, [item], kind="skip", weight=0.0, newest=NOW - timedelta(days=2))
    assert learnt() == []

    remember(ref, [item], kind="undo", weight=0.0, newest=NOW - timedelta(days=1))
    assert learnt() == [item]

    remember(ref, [item], kind="dismiss", weight=0.0, newest=NOW)
    assert learnt() == [item]
