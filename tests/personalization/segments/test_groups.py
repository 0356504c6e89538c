"""Groups of people by their own data: none smaller than k, served where a rule asks for them, gone with the person."""

from collections import Counter
from typing import Any

import numpy as np
import pytest
from django.db import OperationalError, connection
from hypothesis import given, settings
from hypothesis import strategies as st

from consent.pseudonyms import subject_ref
from personalization import tasks, training, windows
from personalization.models import SnapshotPerson
from personalization.recommender.groups import forming as groups
from personalization.recommender.groups import readable
from personalization.recommender.groups.forming import Kind
from personalization.recommender.histories import Histories
from personalization.recommender.interactions import Interactions, Item
from personalization.recommender.training import train
from personalization.segments import membership
from policies.bundles import loading
from policies.models import ActiveBundle, RankingRule
from policies.registers.descriptors import ranking_narrows
from privacy.retention import disposal
from privacy.rights.stores import seam
from tests.helpers import models, ranking_rules
from tests.personalization.conftest import SHOP

IDS = [item.id for item in SHOP.items]
DAY_S = 86_400.0
touches = st.lists(
    st.tuples(st.integers(0, 30), st.sampled_from(SHOP.items[:40]), st.integers(0, 200)), min_size=1, max_size=150
)


def interactions_of(rows: list[tuple[int, Item, int]]) -> Interactions:
    return Interactions(
        person=[person for person, _, _ in rows],
        item=[item.id for _, item, _ in rows],
        weight=np.ones(len(rows)),
        time=np.array([day * DAY_S for _, _, day in rows]),
    )


@settings(max_examples=60)
@given(touches, st.integers(2, 9), st.integers(1, 10))
def test_no_readable_group_is_smaller_than_k(rows: Any, k: int, most: int) -> None:
    data = Histories.of(interactions_of(rows), SHOP.items)

    found = readable.segments(data, SHOP.items, at_least=k, at_most=most)

    sizes = Counter(found.values())
    assert min(sizes.values(), default=k) >= k
    assert len([key for key in sizes if "|" in key]) <= most
    assert found.keys() <= set(data.people)
    assert readable.segments(data, SHOP.items, at_least=k, at_most=most) == found


def test_readable_groups_say_what_people_choose_and_how_much() -> None:
    kinds = {name: [i for i in SHOP.items if i.categories[0] == name][:6] for name in ("books", "kitchen")}
    rows = [
        (person, item, 5)
        for person in range(120)
        for item in kinds["books" if person < 60 else "kitchen"][: (1, 3, 6)[person % 3]]
    ]

    found = readable.segments(Histories.of(interactions_of(rows), SHOP.items), SHOP.items, at_least=20)

    assert found[0] == "favourite=books|chosen=few"
    assert found[61] == "favourite=kitchen|chosen=some"
    assert found[62] == "favourite=kitchen|chosen=many"
    assert set(Counter(found.values()).values()) == {20}


def test_people_of_equal_numbers_are_in_one_group() -> None:
    rows = [(person, item, 5) for person in range(60) for item in SHOP.items[:2]]

    found = readable.segments(Histories.of(interactions_of(rows), SHOP.items), SHOP.items, at_least=20)

    assert len(found) == 60
    assert len(set(found.values())) == 1


def test_a_kind_whose_name_fits_no_key_is_no_favourite() -> None:
    items = [Item(f"i{n}", "Thing", ("books", ("a|b", "x" * 65)[n % 2])) for n in range(4)]
    rows = [(person, item, 5) for person in range(20) for item in items]

    found = readable.segments(Histories.of(interactions_of(rows), items), items, at_least=20)

    assert set(found.values()) == {"favourite=books|chosen=few"}


def test_groups_of_a_model_have_lists_and_are_told_apart_by_their_keys() -> None:
    model = train(SHOP.interactions, SHOP.items, SHOP.segments("region", "age"))

    found = groups.added(model, SHOP.interactions, [Kind.READABLE, Kind.TASTE])

    assert groups.kinds_of(found.model) == {Kind.READABLE, Kind.TASTE}
    assert groups.kinds_of(model) == set()
    for kind, people in found.people.items():
        sizes = Counter(people.values())
        assert {groups.kind_of(key) for key in sizes} == {kind}
        assert all(found.model.segments[key].people == size for key, size in sizes.items())
        assert min(sizes.values()) >= (groups.TASTE_FROM if kind is Kind.TASTE else model.parameters.min_segment)
    served = found.model.recommend("segment", group=next(iter(found.people[Kind.TASTE].values())))
    assert (served.level_used, groups.kind_of(served.segment or "")) == ("segment", Kind.TASTE)
    assert found.model.recommend("none", group=served.segment).segment is None
    assert found.model.recommend("segment", group="taste:no-such", segment="no-such").fallback


@pytest.fixture
def grouped(api: Any, shop: Any, remember: Any, own_breaker: Any) -> Any:
    """60 people, a version trained with a rule, and in force."""

    def deploy(kind: str) -> str:
        for person in range(60):
            assert api.save(f"customer-{person}", "give").status_code == 201
            first = 0 if person % 2 else 60
            remember(f"customer-{person}", [IDS[first + (person * 7 + step) % 30] for step in range(8)])
        ranking_rules.rule("recommendations", segment_list=kind)
        version = training.train_recommender(actor="officer:anna")
        assert version is not None
        models.go_live(version)
        return str(version)

    return deploy


@pytest.mark.django_db
@pytest.mark.parametrize(("kind", "why"), [("taste", "people of similar taste"), ("readable", "Popular with people")])
def test_the_level_of_groups_serves_the_list_that_the_rule_names(grouped: Any, ask: Any, kind: str, why: str) -> None:
    grouped(kind)

    answer = ask("customer-1", requested_level="segment")

    assert (answer["level"], answer["fallback"]) == ("segment", None)
    assert {item["basis"] for item in answer["items"]} == {"segment"}
    assert why in answer["items"][0]["why"]
    assert answer["items"][0]["because"] == []

    ranking_rules.rule("recommendations", segment_list="region_age")
    assert ask("customer-1", requested_level="segment")["items"][0]["why"] == "Popular in your region and age group"


@pytest.mark.django_db
def test_without_a_database_and_without_a_profile_there_is_no_group(
    grouped: Any, ask: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    version, ref = grouped("taste"), subject_ref("customer-1")
    bundle = loading.loaded(ActiveBundle.objects.get().bundle_id)
    assert membership.group_of(ref, "recommendations", version, bundle)

    def refuse(*_args: Any) -> None:
        raise OperationalError("connection refused")

    membership._version.cache_clear()
    with connection.execute_wrapper(refuse):
        assert membership.group_of(ref, "recommendations", version, bundle) is None

    monkeypatch.setattr(membership, "group_of", refuse)
    assert ask("customer-1", mode="non_profiled")["level"] == "none"


@pytest.mark.django_db
def test_a_person_leaves_the_group_with_their_data_and_small_groups_are_stopped(
    grouped: Any, ask: Any, api: Any
) -> None:
    version = grouped("taste")
    ref = subject_ref("customer-1")
    [store] = [each for each in seam.registered() if each.description.name == "model_training"]
    [row] = list(store.export(ref))
    assert row["taste"].startswith("taste:")
    key = SnapshotPerson.objects.get(subject_ref=ref).taste
    assert windows.people_by_segment(SnapshotPerson.objects.get(subject_ref=ref).version)[key] >= groups.TASTE_FROM

    api.save("customer-1", "withdraw")
    disposal.sweep()
    for run in disposal.Disposal.objects.filter(status__in=disposal.Disposal.OPEN):
        disposal.run(run.pk)
    assert not SnapshotPerson.objects.filter(subject_ref=ref).exists()
    api.save("customer-1", "give")
    assert ask("customer-1", requested_level="segment")["items"][0]["why"] == "Popular in your region and age group"

    SnapshotPerson.objects.filter(pk__in=SnapshotPerson.objects.values("pk")[20:]).update(taste="")
    SnapshotPerson.objects.filter(pk__in=SnapshotPerson.objects.values("pk")[:5]).update(taste="")
    tasks.check_segments()

    stopped = ActiveBundle.objects.get().bundle.data
    assert f'"{key}"' in stopped
    assert version in stopped
    assert ask("customer-2", requested_level="segment")["items"][0]["why"] == "Popular in your region and age group"


@pytest.mark.django_db
def test_without_a_rule_no_person_is_put_into_a_group(api: Any, shop: Any, remember: Any, own_breaker: Any) -> None:
    for person in range(25):
        api.save(f"customer-{person}", "give")
        remember(f"customer-{person}", IDS[:6])

    assert training.train_recommender(actor="officer:anna") is not None

    assert set(SnapshotPerson.objects.values_list("readable", "taste")) == {("", "")}
    assert not RankingRule.objects.exists()


@pytest.mark.parametrize(
    ("before", "after", "is_protective"),
    [
        ("region_age", "taste", False),
        ("taste", "region_age", True),
        ("taste", "taste", True),
        ("readable", "taste", False),
    ],
)
def test_to_group_people_by_their_data_takes_two_officers(before: str, after: str, is_protective: bool) -> None:
    assert ranking_narrows({"segment_list": before}, {"segment_list": after}) is is_protective
