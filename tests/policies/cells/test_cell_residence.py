"""The last door: whatever way a choice came, no row of somebody another cell holds is made."""

import io
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from common.http.problems import Problem
from consent import residence
from consent.importing import service
from consent.ledger import ledger
from consent.models import DataSubject, Purpose, Site
from consent.problems import OtherCell, RegionConflict, RegionNeeded
from consent.pseudonyms import subject_ref
from tests.helpers.fake_cell import FakeCell
from tests.helpers.wsgi_calls import assert_problem, call
from tests.policies.cells.test_cell_router import EU_PERSON, traces


def save(person: str, region: str | None, choice: str = "give") -> ledger.Saved:
    wanted = ledger.Choice(purpose="recommendations", choice=choice)
    return ledger.save_choices(
        ledger.Request(subject_ref=subject_ref(person), choices=[wanted], source="api", actor="test", region=region)
    )


@pytest.mark.parametrize(
    ("region", "problem"), [("DE", OtherCell), (None, RegionNeeded), ("ZZ", RegionNeeded)], ids=str
)
def test_the_ledger_makes_no_row_of_a_stranger(us: str, region: str | None, problem: type[Problem]) -> None:
    with pytest.raises(problem):
        save(EU_PERSON, region)
    assert traces() == []


def test_the_ledger_gives_nobody_the_region_of_another_cell(us: str) -> None:
    save("joe", "US")

    with pytest.raises(RegionConflict):
        save("joe", "DE")

    assert DataSubject.objects.get(pk=subject_ref("joe")).region == "US"
    assert save("joe", None, "withdraw").subject_revision == 2
    assert save("joe", "US-CA").subject_revision == 3


def test_an_installation_of_its_own_holds_everybody(shop_token: str) -> None:
    assert residence.guard() is None
    assert save(EU_PERSON, None).subject_revision == 1


@pytest.fixture
def site(us: str) -> Site:
    made = Site.objects.create(slug="cell-shop", name="Shop", origins=["https://shop.example"])
    made.purposes.set(Purpose.objects.filter(slug="recommendations"))
    return made


@pytest.mark.parametrize(("region", "status", "code"), [("DE", 421, "other_cell"), ("", 422, "region_needed")])
def test_a_banner_saves_for_its_own_cell_only(
    us: str, eu: FakeCell, site: Site, region: str, status: int, code: str
) -> None:
    Site.objects.filter(pk=site.pk).update(region=region)
    browser = "ab" * 16
    body = {"browser": browser, "choices": [{"purpose": "recommendations", "choice": "refuse"}]}

    path = "/api/v1/banner/cell-shop/choices"
    told = call(body, None, path=path, HTTP_ORIGIN="https://shop.example")

    assert_problem(told, status, code)
    assert told.headers["Access-Control-Allow-Origin"] == "https://shop.example"
    assert traces(f"cell-shop:{browser}") == []


def test_an_import_refuses_the_lines_of_strangers(us: str, eu: FakeCell, tmp_path: Path) -> None:
    moment = datetime(2026, 1, 1, tzinfo=UTC).isoformat()
    rows = [(EU_PERSON, "DE"), ("joe", "US"), ("nobody", None), ("joe", None), ("joe", "FR")]
    lines = [
        {"subject_id": who, "purpose": "recommendations", "choice": "refuse", "recorded_at": moment}
        | ({"region": region} if region else {})
        for who, region in rows
    ]
    path, report = tmp_path / "choices.jsonl", tmp_path / "report.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))

    outcome = service.import_file(service.Order(path=path, system="old", actor="test", report=report))

    refused = [json.loads(line) for line in io.StringIO(report.read_text())]
    assert outcome.imported >= 1
    assert [(line["line"], line["code"]) for line in refused if line["line"] != 4] == [
        (1, "other_cell"),
        (3, "region_needed"),
        (5, "region_conflict"),
    ]
    assert traces() == []
    assert DataSubject.objects.get(pk=subject_ref("joe")).region == "US"


def test_nobody_signs_in_who_is_not_known_here(us: str) -> None:
    save("joe", "US")

    residence.check_person(subject_ref("joe"))
    with pytest.raises(RegionNeeded):
        residence.check_person(subject_ref(EU_PERSON))
