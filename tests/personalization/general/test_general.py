"""The general list: lately chosen, editors' picks, also bought by k people; the same for everybody, and cacheable."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from consent.pseudonyms import subject_ref
from personalization import tasks
from personalization.general import also_bought, trending
from personalization.general.trending import Ranked
from personalization.models import AlsoBought, Item, PopularItem
from personalization.serving import reading
from tests.helpers import display_rules
from tests.personalization.conftest import SHOP

SMALLEST = 20  # as shipped
IDS = [item.id for item in SHOP.items]
PATH = "/api/v1/recommendations/general"
names = st.text("abcdefgh", min_size=1, max_size=1)


@given(st.lists(names, unique=True), st.lists(names, unique=True))
def test_picks_stand_at_their_places_and_nothing_twice(chosen: list[str], picks: list[str]) -> None:
    listed = list(trending.woven([Ranked(item, 5) for item in chosen], picks))

    assert sorted(one.item for one in listed) == sorted({*chosen, *picks})
    by_people = [one.item for one in listed if not one.is_pick]
    assert by_people == [item for item in chosen if item in by_people], "what people chose keeps its order"
    places = {one.item: place for place, one in enumerate(listed, start=1)}
    last = max((places[item] for item in by_people), default=0)
    assert all((places[one.item] - 3) % 5 == 0 for one in listed if one.is_pick and places[one.item] < last)
    assert all(one.people == (5 if one.item in chosen else 0) for one in listed)


@pytest.mark.django_db
class TestTrending:
    def test_lately_counts_more_than_long_ago(self, shop: Any, remember: Any) -> None:
        long_ago = timezone.now() - timedelta(days=3 * trending.HALF_LIFE_DAYS)
        for person in range(5):
            remember(f"customer-{person}", [IDS[1]], newest=long_ago)
        for person in range(2):
            remember(f"customer-{person}", [IDS[2]])

        trending.refresh()

        assert list(PopularItem.objects.values_list("item_id", "people")) == [(IDS[2], 2), (IDS[1], 5)]

    def test_a_pick_is_shown_and_says_so(self, shop: Any, remember: Any, ask: Any) -> None:
        for person in range(2):
            remember(f"customer-{person}", IDS[:10])
        Item.objects.filter(pk=IDS[50]).update(is_editorial=True)
        Item.objects.filter(pk=IDS[51]).update(is_editorial=True, is_active=False)

        tasks.refresh_general_list()

        items = ask("nobody", count=5)["items"]
        assert [each["basis"] for each in items] == ["popular", "popular", "editorial", "popular", "popular"]
        assert (items[2]["item"], items[2]["why"]) == (IDS[50], "Chosen by our editors")

    def test_one_statement_reads_all_events(self, shop: Any, remember: Any, sql: list[str]) -> None:
        remember("customer-1", IDS[:3])
        sql.clear()

        trending.refresh()

        assert sum("personalization_event" in statement for statement in sql) == 1


@pytest.fixture
def bought(shop: Any, remember: Any) -> Callable[..., None]:
    def count(people: int, items: list[str], *, counted: int | None = None, **fields: Any) -> None:
        for person in range(people):
            remember(f"customer-{person}", items, **{"kind": "purchase", **fields})
        refs = [subject_ref(f"customer-{person}") for person in range(people if counted is None else counted)]
        also_bought.refresh(refs, purpose="recommendations", k=SMALLEST)

    return count


@pytest.mark.django_db
class TestAlsoBought:
    @pytest.mark.parametrize(("people", "is_listed"), [(SMALLEST - 1, False), (SMALLEST, True)])
    def test_a_pair_needs_k_people(self, bought: Any, people: int, is_listed: bool) -> None:
        bought(people, IDS[:2])

        expected = {(IDS[0], IDS[1], people), (IDS[1], IDS[0], people)} if is_listed else set()
        assert set(AlsoBought.objects.values_list("item_id", "other_id", "people")) == expected

    def test_people_who_do_not_permit_learning_make_no_pair(self, bought: Any) -> None:
        bought(SMALLEST, IDS[:2], counted=SMALLEST - 1)

        assert not AlsoBought.objects.exists()

    @pytest.mark.parametrize("fields", [{"kind": "like"}, {"purpose": "personalization"}])
    def test_only_purchases_under_the_purpose_count(self, bought: Any, fields: dict[str, str]) -> None:
        bought(SMALLEST, IDS[:2], **fields)

        assert not AlsoBought.objects.exists()

    def test_who_bought_twice_counts_once_and_of_many_only_the_newest(self, bought: Any) -> None:
        bought(SMALLEST, [IDS[99], *IDS[:49], IDS[1], IDS[0]])

        assert not AlsoBought.objects.filter(other=IDS[99]).exists()
        assert set(AlsoBought.objects.values_list("people", flat=True)) == {SMALLEST}
        assert AlsoBought.objects.filter(item=IDS[0]).count() == also_bought.KEPT


@pytest.fixture
def read(api: Any) -> Callable[..., Any]:
    """Read the general list as a service does."""

    def get(query: dict[str, str] | None = None, **headers: str) -> Any:
        return api.client.get(PATH, query, headers={"Authorization": f"Bearer {api.token}", **headers})

    return get


@pytest.mark.django_db
class TestEndpoint:
    def test_with_an_item_it_begins_with_what_is_also_bought(self, read: Any, bought: Any) -> None:
        bought(SMALLEST, [IDS[30], IDS[40], IDS[41]])

        answer = read({"item": IDS[30], "count": "4"}).json()

        assert [each["basis"] for each in answer["items"]] == ["also_bought"] * 2 + ["popular"] * 2
        assert {each["item"] for each in answer["items"][:2]} == {IDS[40], IDS[41]}
        assert (answer["level"], answer["profiled"], answer["also_bought"]) == ("none", False, IDS[30])
        assert IDS[30] not in [each["item"] for each in answer["items"]]

    def test_a_cache_may_keep_it_and_asks_whether_it_is_still_true(self, read: Any, shop: Any) -> None:
        first = read()
        assert first["Cache-Control"] == "public, no-cache"
        assert "Accept-Language" in first["Vary"]

        again = read(**{"If-None-Match": first["ETag"]})
        assert (again.status_code, again.content) == (304, b"")

        display_rules.rule("hidden", "books", age_bands=["child"])
        changed = read(**{"If-None-Match": first["ETag"]})
        assert changed.status_code == 200
        shown = Item.objects.filter(pk__in=[each["item"] for each in changed.json()["items"]])
        assert not any("books" in item.categories for item in shown)

    def test_a_personal_answer_is_never_kept(self, api: Any, shop: Any) -> None:
        for path in ("/api/v1/recommendations", "/api/v1/recommendations/visit"):
            answer = api.post(path, {"subject": {"id": "customer-1"}})
            assert answer["Cache-Control"] == "no-store"
            assert "ETag" not in answer

    @pytest.mark.parametrize(
        "query", [{"count": "0"}, {"count": "101"}, {"count": "x"}, {"count": "01"}, {"item": "a b"}]
    )
    def test_what_is_no_question_is_refused(self, read: Any, register_in_force: None, query: dict[str, str]) -> None:
        assert read(query).status_code == 400

    def test_where_the_database_does_not_answer_it_says_so(
        self, read: Any, shop: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def silent(*_: object) -> None:
            raise reading.ReadingFailed

        monkeypatch.setattr(reading, "general", silent)

        assert read().status_code == 503
