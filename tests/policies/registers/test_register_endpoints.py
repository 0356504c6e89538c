"""Services read purposes, jurisdictions and levels: complete, in pages, unchanged as 304, with the scope alone."""

from datetime import timedelta
from typing import Any

import pytest

from common.levels import LEVELS
from consent.models import Notice, Party, Purpose, PurposeText
from policies.endpoints import credentials
from policies.models import Jurisdiction, Region, ServiceCredential
from privacy.models import RetentionSchedule

pytestmark = pytest.mark.django_db
PURPOSES, JURISDICTIONS, LEVEL_LIST = (f"/api/v1/{name}" for name in ("purposes", "jurisdictions", "levels"))
ALL = [PURPOSES, JURISDICTIONS, LEVEL_LIST]


def _get(api: Any, path: str, token: str | None = None, **headers: str) -> Any:
    return api.client.get(path, headers={"Authorization": f"Bearer {token or api.token}", **headers})


def _entries(api: Any, path: str) -> dict[str, dict[str, Any]]:
    name = path.rpartition("/")[2]
    return {entry["slug"]: entry for entry in _get(api, path).json()[name]}


def _purpose(slug: str, **changes: Any) -> Purpose:
    purpose, _ = Purpose.objects.update_or_create(
        slug=slug, defaults={"name": slug.title(), "benefit": "Some", "max_level": "behavioral", **changes}
    )
    return purpose


def test_a_purpose_is_told_whole(api: Any) -> None:
    shop = Party.objects.create(slug="the-shop", name="The Shop", address="1 Road", country="DE")
    purpose = _purpose(
        "gifts",
        name="Gifts",
        benefit="Ideas",
        controller=shop,
        parent=Purpose.objects.get(slug="personalization"),
        actions=["personalize", "collect"],
        data_categories=["views", "purchases"],
        recipients=["printer"],
        channels=["email"],
        kept_for="Two years",
        consent_valid_for=timedelta(days=90),
    )
    PurposeText.objects.create(purpose=purpose, locale="de", name="Geschenke", benefit="Ideen", kept_for="2 Jahre")
    for version, is_material in ((1, True), (2, True), (3, False)):
        Notice.objects.create(purpose=purpose, version=version, text=f"v{version}", is_material=is_material)
    RetentionSchedule.objects.create(purpose=purpose, retain_for=timedelta(days=730))

    assert _entries(api, PURPOSES)["gifts"] == {
        "slug": "gifts",
        "names": {"en": "Gifts", "de": "Geschenke"},
        "benefits": {"en": "Ideas", "de": "Ideen"},
        "parent": "personalization",
        "controller": {"slug": "the-shop", "name": "The Shop"},
        "legal_basis": "consent",
        "explicit_consent": False,
        "may_be_objected": False,
        "consent_valid_days": 90,
        "notice": {"version": 3, "required_version": 2},
        "levels": ["none", "segment", "behavioral"],
        "actions": ["collect", "personalize"],
        "data_categories": ["purchases", "views"],
        "recipients": ["printer"],
        "channels": ["email"],
        "retention": {"days": 730, "descriptions": {"en": "Two years", "de": "2 Jahre"}},
    }


def test_what_a_purpose_lacks_is_null(api: Any) -> None:
    purpose = _purpose("bare", legal_basis="public_task", max_level="none")
    RetentionSchedule.objects.create(purpose=purpose, retain_for=timedelta(days=1), is_active=False)

    bare = _entries(api, PURPOSES)["bare"]

    assert {name for name, value in bare.items() if value is None} == {
        "parent", "controller", "consent_valid_days", "notice",
    }  # fmt: skip
    assert bare["retention"] == {"days": None, "descriptions": {}}
    assert (bare["levels"], bare["may_be_objected"]) == (["none"], True)


def test_a_purpose_that_is_not_active_is_left_out(api: Any) -> None:
    active = set(_entries(api, PURPOSES))
    Purpose.objects.filter(slug="newsletter").update(is_active=False)

    assert active - set(_entries(api, PURPOSES)) == {"newsletter"}
    assert active == {*Purpose.objects.values_list("slug", flat=True)}


def test_a_jurisdiction_is_told_with_its_regions(api: Any) -> None:
    law = Region.objects.get(code="DE").jurisdiction

    told = _entries(api, JURISDICTIONS)

    assert set(told) == set(Jurisdiction.objects.values_list("slug", flat=True))
    germany = next(region for region in told[law.slug]["regions"] if region["code"] == "DE")
    assert germany == {"code": "DE", "name": "Germany", "age_of_consent": 16}
    assert told[law.slug]["consent_default"] == "opt_in"
    assert told[law.slug]["answer_within"] == {
        "days": law.answer_days,
        "unit": law.answer_unit,
        "extension_days": law.extension_days,
    }
    assert told["us-ca"]["binding_signals"] == ["gpc", "gpp"]
    assert told["us-ca"]["confirm_within"] == {"days": 10, "unit": "business"}


def test_levels_have_the_names_of_the_pages_in_each_language(api: Any) -> None:
    levels = _get(api, LEVEL_LIST, **{"Accept-Language": "fr"}).json()["levels"]

    assert [(level["level"], level["rank"]) for level in levels] == list(LEVELS.items())
    assert [level["names"]["en"] for level in levels] == ["General", "Group", "Recent", "This visit", "Personal"]
    assert {*levels[0]["names"]} == {"en", "de", "fr", "es"}
    assert len(set(levels[4]["names"].values())) > 1


@pytest.mark.parametrize(("path", "model"), [(PURPOSES, Purpose), (JURISDICTIONS, Jurisdiction)])
def test_pages_hold_the_whole_list_in_order(api: Any, path: str, model: Any) -> None:
    name = path.rpartition("/")[2]
    seen, token = [], ""
    while True:
        page = _get(api, f"{path}?limit=2" + (f"&page_token={token}" if token else "")).json()
        assert page["page"]["count"] == len(page[name]) <= 2
        seen += [entry["slug"] for entry in page[name]]
        token = page["page"]["next_token"]
        if not token:
            break

    assert seen == list(model.objects.order_by("slug").values_list("slug", flat=True))
    assert len(seen) > 4


def test_the_last_page_that_is_full_is_the_end(api: Any) -> None:
    count = Purpose.objects.count()

    assert _get(api, f"{PURPOSES}?limit={count}").json()["page"] == {"next_token": "", "count": count}
    assert _get(api, f"{PURPOSES}?limit={count - 1}").json()["page"]["next_token"]


def test_entries_that_come_and_go_shift_no_page(api: Any) -> None:
    first = _get(api, f"{PURPOSES}?limit=2").json()
    _purpose("aaa")  # before the page that was read
    Purpose.objects.filter(slug=first["purposes"][1]["slug"]).update(is_active=False)

    second = _get(api, f"{PURPOSES}?limit=100&page_token={first['page']['next_token']}").json()

    slugs = sorted(Purpose.objects.values_list("slug", flat=True))
    assert [entry["slug"] for entry in second["purposes"]] == slugs[3:]


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=1001", "limit=x", "limit=", "limit=1.0", "page_token=a/b", "page_token="]
)
def test_a_page_that_cannot_be_is_400(api: Any, query: str) -> None:
    answer = _get(api, f"{PURPOSES}?{query}")

    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_request")
    assert list(answer.json()["errors"]) == [query.partition("=")[0]]


@pytest.mark.parametrize("path", ALL)
def test_an_unchanged_list_is_304(api: Any, path: str) -> None:
    answer = _get(api, path)
    etag = answer.headers["ETag"]

    again = _get(api, path, **{"If-None-Match": etag})

    assert (again.status_code, again.content, again.headers["ETag"]) == (304, b"", etag)
    assert answer.headers["Cache-Control"] == "private, no-cache"
    assert _get(api, path, **{"If-None-Match": '"another"'}).status_code == 200


def test_a_change_of_the_register_changes_the_tag(api: Any) -> None:
    tags = {_get(api, PURPOSES).headers["ETag"]}
    purpose = Purpose.objects.get(slug="newsletter")
    PurposeText.objects.create(purpose=purpose, locale="it", name="Notizie", benefit="Novità")
    tags.add(_get(api, PURPOSES).headers["ETag"])
    RetentionSchedule.objects.update_or_create(purpose=purpose, defaults={"retain_for": timedelta(days=5)})
    tags.add(_get(api, PURPOSES).headers["ETag"])

    assert len(tags) == 3


@pytest.mark.parametrize("path", ALL)
def test_only_the_scope_opens_the_registers(api: Any, path: str) -> None:
    others = [scope for scope in ServiceCredential.Scope.values if scope != "registers"]
    without = credentials.create_credential(name="others", scopes=others, actor="test")[0]
    alone = credentials.create_credential(name="alone", scopes=["registers"], actor="test")[0]

    assert _get(api, path, without).status_code == 403
    assert _get(api, path, "unheard-of").status_code == 401
    assert api.client.get(path).status_code == 401
    assert _get(api, path, alone).status_code == 200


@pytest.mark.parametrize("path", ALL)
def test_a_revoked_credential_reads_nothing(api: Any, path: str) -> None:
    token, credential = credentials.create_credential(name="gone", scopes=["registers"], actor="test")
    credentials.revoke_credential(credential=credential, actor="test")

    assert _get(api, path, token).status_code == 401


@pytest.mark.parametrize(("path", "statements"), [(PURPOSES, 3), (JURISDICTIONS, 3), (LEVEL_LIST, 1)])
def test_a_longer_list_costs_no_more_statements(
    api: Any, path: str, statements: int, django_assert_num_queries: Any
) -> None:
    with django_assert_num_queries(statements):
        _get(api, path)
    for number in range(20):
        purpose = _purpose(f"more-{number}")
        PurposeText.objects.create(purpose=purpose, locale="de", name="Mehr", benefit="Mehr")
        Notice.objects.create(purpose=purpose, version=1, text="v1")
        law = Jurisdiction.objects.create(slug=f"law-{number}", name="A law")
        Region.objects.create(code=f"X{chr(65 + number)}", name="A region", group="x", jurisdiction=law)

    with django_assert_num_queries(statements):
        assert _get(api, path).status_code == 200
