"""Registered data sets as sources: who is in them, how k counts, and releases of two moments laid on each other."""

import json
from uuid import UUID

import pytest
from django.core.management import call_command

from consent.models import DataSubject
from privacy.models import TableRelease, UploadedTable
from privacy.releases import asking, publishing, running, uploads
from privacy.releases.inputs import sources
from privacy.releases.problems import TableRefused
from privacy.releases.profiling import Profile, Role, beginning
from tests.privacy.releases.conftest import ANN, BEN, PARTY, PURPOSE

pytestmark = pytest.mark.django_db
BANDS = ("adult", "minor", "unknown")


def _people(first, last):
    DataSubject.objects.bulk_create(
        DataSubject(ref=UUID(int=n), region=("DE", "FR", "IT")[n % 3], age_band=BANDS[n % 2], restricted=n == 5)
        for n in range(first, last)
    )


@pytest.fixture
def people(officers):
    _people(0, 61)


def _made(table, asked, **roles):
    begun = beginning(Profile(**column) for column in table.columns)
    row = asking.ask(table, asked(roles={**begun, **roles}, k=10, l=1), actor=ANN, state=TableRelease.State.RUNNING)
    running.carry_out(row)
    assert row.error == ""
    return row


def test_its_rows_are_a_table_without_those_whose_processing_is_restricted(people):
    table = sources.take("consents", actor=ANN)

    assert (table.source, table.rows) == ("consents", 60)
    roles = {column["name"]: column["role"] for column in table.columns}
    assert (roles["person"], roles["row"]) == (Role.PERSON, Role.DIRECT)
    with uploads.opened(table) as plain:
        assert str(UUID(int=5)) not in plain.read_text()


def test_k_counts_the_people_of_the_register_and_no_copy_names_one(people, asked):
    row = _made(sources.take("consents", actor=ANN), asked)

    assert row.report["result"]["person"] == "person"
    assert row.report["result"]["smallest_class"] >= 10
    header, *_ = uploads.copy_of(row).read_text().splitlines()
    assert {"person", "row"} & set(header.split(",")) == set()


def test_a_data_set_that_is_not_registered_is_refused(officers):
    with pytest.raises(TableRefused, match="consents"):
        sources.take("consent_datasubject", actor=ANN)

    assert not UploadedTable.objects.exists()


def _publish(row):
    proposed = publishing.propose(row, actor=ANN)
    return publishing.approve(proposed, actor=BEN, seen=proposed.digest)


def test_releases_of_two_moments_are_laid_on_each_other_by_the_rows_of_the_register(people, asked):
    published = _publish(_made(sources.take("consents", actor=ANN), asked))
    assert published.document["source"]["data_set"] == "consents"

    again = _made(sources.take("consents", actor=ANN), asked)
    assert again.figures["overlaps"] == [], "the same copy of the same rows adds nothing"
    _people(61, 63)
    later = _made(sources.take("consents", actor=ANN), asked)

    [laid] = later.figures["overlaps"]
    # Two people came between: whoever knows that finds them by what the classes gained.
    assert laid["release"] == str(published.pk)
    assert laid["rows"] in (1, 2)
    assert (later.table.sha256 == published.table.sha256) is False


def test_without_the_keys_of_an_earlier_release_nothing_is_left(people, asked):
    published = _publish(_made(sources.take("consents", actor=ANN), asked))
    uploads.file_of(published.table).unlink()
    _people(61, 80)

    later = _made(sources.take("consents", actor=ANN), asked)

    assert [each["rows"] for each in later.figures["overlaps"]] == [0]
    assert [reason.code for reason in publishing.verdict_of(later).reasons] == ["overlap"]


def test_one_command_takes_a_data_set_with_hierarchies_to_a_proposal(people, tmp_path, capsys):
    trees = tmp_path / "trees"
    trees.mkdir()
    (trees / "region.csv").write_text("DE,north,*\nFR,north,*\nIT,south,*\n")

    call_command(
        "release", "data-set", "consents", "--qi", "region,age_band", "-k", "12", "--fast", "--as", "ann",
        "--hierarchies", str(trees), "--to", PARTY, "--purpose", PURPOSE, "--people", "eea", "--region", "eu-central",
    )  # fmt: skip

    row = TableRelease.objects.get()
    assert (row.stage, row.asked["fast"], list(row.asked["hierarchies"])) == ("proposed", True, ["region"])
    assert row.report["result"]["generalised_as"]["region"] == "hierarchy"
    assert "Proposed" in capsys.readouterr().out
    assert "north" not in json.dumps(row.document), "a manifest has digests of hierarchies, not their words"
