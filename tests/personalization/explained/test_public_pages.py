"""Public pages about the recommender: what a creator can influence, exposure from k people on, the card; cacheable."""

from typing import Any

import pytest
from django.test import Client

from model_registry.documents import keeping
from model_registry.gates.checks import GATES
from model_registry.models import ModelVersion
from model_registry.pages import panels
from personalization.creators import opt_outs
from personalization.explained import card, exposure, weights
from personalization.models import Item, PopularItem
from personalization.recommender.model import Model
from personalization.recommender.recipe import Band, Kind, Recipe, Spec
from tests.helpers import models, ranking_rules
from tests.helpers.visitor import Visitor

CREATORS, CARD = "/privacy/ranking/creators", "/privacy/ranking/model"
pytestmark = pytest.mark.django_db


def text(path: str, **headers: str) -> str:
    answer = Client().get(path, headers=headers)
    assert answer.status_code == 200
    return " ".join(answer.content.decode().split())


def test_creators_read_what_counts_and_how_to_opt_out(deployed: ModelVersion) -> None:
    html = text(CREATORS)

    assert "each person counts once" in html
    assert "nor payments" in html
    assert "How many things you offer" in html
    assert '<th scope="row">Buying</th><td>3</td>' in html
    assert "your things are recommended to nobody" in html
    assert "mailto:privacy@northwind.example" in html


def test_creators_of_few_things_read_of_the_places_that_a_rule_keeps_for_them(deployed: ModelVersion) -> None:
    ranking_rules.rule("recommendations", small_creator_share=20)

    html = text(CREATORS)

    assert "How few things you offer: 20 per cent of the places" in html
    assert "How many things you offer" not in html


def test_the_card_says_what_it_is_for_and_how_well_it_does(deployed: ModelVersion) -> None:
    html = text(CARD)

    assert "Item to item." in html
    assert '<dt>What it must not be used for</dt><dd lang="en">Prices</dd>' in html
    assert "<td>30.0 %</td><td>20.0 to 40.0 %</td>" in html
    assert "a" * 64 not in html


def test_the_card_speaks_the_reader_s_language_and_writes_numbers_as_it_does(deployed: ModelVersion) -> None:
    html = text(CARD, **{"Accept-Language": "de"})

    assert "<dd>Fällt es aus, gibt es eine andere Liste</dd>" in html
    assert "<td>30,0 %</td><td>20,0 bis 40,0 %</td>" in html


def test_each_gate_has_words_for_readers() -> None:
    assert set(card.CHECKS) == {*GATES, "approval"}


def test_a_gate_that_does_not_apply_stands_on_the_card(deployed: ModelVersion) -> None:
    deployed.model.exemptions.create(version=deployed.version, gate="fallback", reason="It cannot fail.")

    assert "Does not apply: It cannot fail." in text(CARD)


def test_there_is_no_card_without_a_model_in_use(draft: ModelVersion) -> None:
    assert Client().get(CARD).status_code == 404
    keeping.keep(draft, "card", models.card(), actor="officer:one")
    assert Client().get(CARD).status_code == 404, "a draft serves no person"


@pytest.mark.parametrize("path", [CREATORS, CARD])
@pytest.mark.parametrize("language", ["de", "fr", "es"])
def test_each_page_is_in_every_language(deployed: ModelVersion, path: str, language: str) -> None:
    answer = Client().get(path, headers={"Accept-Language": language})

    assert answer.headers["Content-Language"] == language
    title = {"de": ("Urheber", "Modell"), "fr": ("créateurs", "modèle"), "es": ("creadores", "modelo")}[language]
    assert title[path == CARD] in answer.content.decode()


@pytest.mark.parametrize("path", [CREATORS, CARD])
def test_a_cache_may_keep_a_page_that_holds_nothing_of_its_reader(deployed: ModelVersion, path: str) -> None:
    reader = Visitor("customer-1").come_in().browser
    own, anybody = reader.get(path), Client().get(path)

    assert own.content == anybody.content
    assert anybody.headers["Cache-Control"] == "public, max-age=300"
    assert not anybody.cookies
    assert "<script" not in anybody.content.decode()
    assert "Cache-Control" not in Client().get(f"{path}?lang=de").headers or (
        "public" not in Client().get(f"{path}?lang=de").headers["Cache-Control"]
    )


def made_by(creator: str, items: list[str], people: int) -> None:
    Item.objects.filter(pk__in=items).update(creator=creator)
    PopularItem.objects.filter(item__in=items).update(people=people)


def test_a_creator_is_named_from_k_people_on(shop: Any, trained_model: Model) -> None:
    ids = [item.id for item in shop.items]
    made_by("ruth", ids[:3], 20)
    made_by("otto", ids[3:5], 19)
    made_by("away", ids[5:6], 50)
    opt_outs.set_recommended("away", recommended=False, actor="officer:one")

    rows = exposure.read(trained_model, k=20)

    assert [(row.creator, row.items, row.places) for row in rows] == [("ruth", 3, 3), ("", 2, 2)]
    assert "otto" not in text(CREATORS)
    assert "away" not in text(CREATORS)


def test_shares_of_groups_are_of_all_first_places(shop: Any, trained_model: Model) -> None:
    made_by("all", [item.id for item in shop.items], 20)

    assert [(row.creator, row.group_share) for row in exposure.read(trained_model, k=20)] == [("all", 100)]


def test_weights_of_a_version_are_shares_of_a_hundred(trained_model: Model) -> None:
    found = weights.weighings(trained_model.parameters)

    assert found
    assert all(98 <= sum(share.per_cent for share in each.shares) <= 102 for each in found)


def test_equal_bands_are_one_row(trained_model: Model) -> None:
    ease, near = Spec(Kind.EASE, 30.0), Spec(Kind.NEAR)
    bands = (Band(1, (1.0, 1.0), 2.0), Band(3, (1.0, 1.0), 2.0), Band(None, (3.0, 1.0)))
    recipe = Recipe((ease, near), bands)
    parameters = type(trained_model.parameters)(20, 2, 100, 10.0, recipe)

    found = weights.weighings(parameters)

    assert [each.whom for each in found] == [
        "People who chose up to 3 things",
        "People who chose more things than that",
    ]
    assert [share.per_cent for share in found[0].shares] == [25, 25, 50]
    assert found[1].shares[0].fades == "A choice counts half after 30 newer ones."
    parts, rows = weights.compared(found)
    assert len(parts) == 3
    assert parts[0].endswith("chose. A choice counts half after 30 newer ones.")
    assert rows == [
        ("People who chose up to 3 things", ["25 %", "25 %", "50 %"]),
        ("People who chose more things than that", ["75 %", "25 %", "0 %"]),
    ]


@pytest.mark.parametrize(
    ("group", "words"),
    [
        ("region=BR|age=adult", "BR, Of age"),
        ("region=DE|age=minor", "DE, Under age, a teenager"),
        ("level=none", "Way “General”"),
        ("long tail", "long tail"),
        ("", "Everybody"),
    ],
)
def test_a_group_is_named_in_words(group: str, words: str) -> None:
    assert card._whom(group) == words


def test_the_page_of_a_version_says_what_it_was_trained_on(deployed: ModelVersion) -> None:
    html = panels.drawn(deployed)

    assert '<section id="panel-training">' in html
    assert "pairs of a person and an item" in html
    ModelVersion.objects.filter(pk=deployed.pk).update(artifact="gone")
    deployed.refresh_from_db()
    assert "Its file is gone" in panels.drawn(deployed)


def test_the_parameters_of_the_api_name_weights_and_creators(api: Any) -> None:
    document = api.client.get("/api/v1/recommender/parameters").json()

    assert {"deed": "Buying", "counts": "3"} in document["weights"]
    assert any("opt out" in each for each in document["creators"]["influences"])
