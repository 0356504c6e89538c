"""The card that a training writes is complete, and each part of it counts."""

import pytest

from common.levels import Level
from consent.models import Party
from model_registry.documents import keeping
from model_registry.documents.card import ModelCard
from model_registry.documents.kinds import KINDS
from oversight import guard
from personalization import training
from personalization.recommender.validation.evaluation import Protocol
from personalization.registered import own_card

pytestmark = pytest.mark.django_db
_PARTS = {"architecture", "training", "considerations", "governance"}


@pytest.fixture
def card(trained):
    return keeping.current(trained, "card")


def _removals(content):
    """Yield the card without each member that says something."""
    for name, value in content.items():
        members = value if name in _PARTS else {None: value}
        for member, said in members.items():
            if not said:
                continue
            rest = {**content, name: {k: v for k, v in value.items() if k != member}} if member else dict(content)
            if member is None:
                del rest[name]
            yield f"{name}.{member}" if member else name, rest


def test_the_card_of_a_training_is_complete(card):
    assert (card.score, KINDS["card"].missing(keeping.document_of(card))) == (100, [])
    assert card.made_by == "officer:test"


def test_every_level_has_every_figure_by_both_protocols(card):
    metrics = [metric for each in card.content["evaluations"] for metric in each["metrics"]]
    found = {(metric["type"], metric["slice"]): metric for metric in metrics}

    for level in Level:
        for protocol in Protocol:
            group = f"level={level}, protocol={protocol}"
            assert {name for name, at in found if at == group} >= {*own_card.BY_LEVEL.values(), "ndcg@10"}
            assert set(found["ndcg@10", group]["interval"]) == {"lower", "upper"}
    assert any(metric["type"] == "ndcg@10" and metric["slice"].startswith("region=") for metric in metrics)


def test_each_removal_of_a_member_lowers_the_score(card):
    scores = {name: KINDS["card"].score(ModelCard.model_validate(rest)) for name, rest in _removals(card.content)}

    assert len(scores) >= 20
    assert {name: score for name, score in scores.items() if score >= 100} == {}


@pytest.mark.parametrize("member", ["interval", "slice"])
def test_a_removal_inside_of_the_figures_lowers_the_score(card, member):
    content = {**card.content, "evaluations": [dict(each) for each in card.content["evaluations"]]}
    for evaluation in content["evaluations"]:
        evaluation["metrics"] = [{k: v for k, v in each.items() if k != member} for each in evaluation["metrics"]]

    assert KINDS["card"].score(ModelCard.model_validate(content)) < 100


def test_without_a_controller_the_card_lacks_its_owners(card, people):
    from django.db import transaction

    with transaction.atomic(), guard.writing("test"):
        Party.objects.all().update(email="", url="")
    newer = keeping.current(training.train_recommender(actor="officer:test"), "card")

    assert KINDS["card"].missing(keeping.document_of(newer)) == ["owners"]
