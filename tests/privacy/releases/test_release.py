"""A table from upload to a published release: what the policy, the second officer and the clock refuse."""

import json
from collections import Counter, defaultdict
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, transaction
from django.utils import timezone

from audit import signing
from audit.models import AuditEvent
from oversight import guard
from oversight.models import WorkItem
from oversight.problems import SecondOfficerNeeded
from privacy.models import DisclosureLimits, TableRelease, UploadedTable
from privacy.releases import gate, publishing, uploads, verifying
from privacy.releases.inputs import trees
from privacy.releases.measures import overlapping
from privacy.releases.problems import AskedWrongly, ReleaseRefused, TableRefused
from tests.privacy.releases.conftest import ANN, BEN, PARTY, PURPOSE, ROLES, rows

pytestmark = pytest.mark.django_db


def _published(row: TableRelease) -> TableRelease:
    proposed = publishing.propose(row, actor=ANN, reason="For the partner's report.")
    return publishing.approve(proposed, actor=BEN, seen=proposed.digest)


def _trusted():
    return {key["kid"]: key for key in signing.published_keys()["keys"]}


def test_a_release_is_published_by_a_second_officer_under_a_signed_manifest(made, tmp_path):
    row = made()
    assert (row.state, row.error) == ("done", "")
    assert row.report["result"]["smallest_class"] >= 10

    proposed = publishing.propose(row, actor=ANN)
    assert WorkItem.objects.get(kind="release-approval", state="open").object == str(row.pk)
    with pytest.raises(SecondOfficerNeeded):
        publishing.approve(proposed, actor=ANN, seen=proposed.digest)
    published = publishing.approve(proposed, actor=BEN, seen=proposed.digest)

    assert published.is_in_force(timezone.now())
    manifest = tmp_path / "m.jws"
    manifest.write_text(published.manifest)
    said, _kid = verifying.verify(manifest, uploads.copy_of(row), now=timezone.now(), trusted=_trusted())
    assert said["approved"]["by"] == "officer:ben"
    assert said["asked"]["receivers"] == [PARTY]
    assert said["policy"]["revision"].startswith("sha256:")
    assert not WorkItem.objects.filter(kind="release-approval", state="open").exists()
    actions = list(AuditEvent.objects.order_by("position").values_list("action", flat=True))
    assert [a for a in actions if a.startswith(("table.", "release."))] == [
        "table.uploaded", "release.asked", "release.made", "release.proposed", "release.published",
    ]  # fmt: skip


def test_the_copy_has_no_direct_identifier_and_keeps_the_order_of_its_rows(made):
    row = made()

    lines = uploads.copy_of(row).read_text().splitlines()

    assert lines[0] == "age,city,illness,visits"
    assert len(lines) == 121
    assert "Person" not in uploads.copy_of(row).read_text()


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"k": 5}, "k_too_small"),
        ({"l": 1, "roles": {**ROLES, "visits": "quasi", "city": "other"}, "k": 10, "days": 400}, "days_too_many"),
        ({"purpose": "newsletter"}, "recipient_not_allowed"),
        ({"region": "moon-1"}, "region_unknown"),
        ({"people": "mars"}, "residency"),
    ],
)
def test_the_policy_refuses_what_may_not_leave_and_nothing_is_proposed(made, changes, code):
    row = made(**changes)

    assert code in [reason.code for reason in publishing.verdict_of(row).reasons]
    with pytest.raises(ReleaseRefused):
        publishing.propose(row, actor=ANN)
    row.refresh_from_db()
    assert (row.stage, row.document) == ("draft", None)


def test_without_a_registered_policy_nothing_leaves(made, monkeypatch):
    row = made()
    monkeypatch.setattr(gate, "_gate", None)

    assert [reason.code for reason in publishing.verdict_of(row).reasons] == ["policy_missing"]
    with pytest.raises(ReleaseRefused):
        publishing.propose(row, actor=ANN)


def test_the_policy_is_asked_again_when_a_release_is_approved(made, monkeypatch):
    proposed = publishing.propose(made(), actor=ANN)
    refusal = gate.Verdict(False, (gate.Reason("k_too_small", "", "Too small."),), (), "sha256:1")
    monkeypatch.setattr(gate, "_gate", lambda _facts: refusal)

    with pytest.raises(ReleaseRefused):
        publishing.approve(proposed, actor=BEN, seen=proposed.digest)
    proposed.refresh_from_db()
    assert (proposed.stage, proposed.manifest) == ("proposed", "")


def test_a_release_ends_by_the_clock_alone(made):
    published = _published(made(days=1))

    assert published.is_in_force(published.expires_at - timedelta(seconds=1))
    assert not published.is_in_force(published.expires_at)


def test_one_officer_revokes_it_with_a_reason(made):
    published = _published(made())

    with pytest.raises(ReleaseRefused):
        publishing.revoke(published, actor=ANN, reason=" ")
    revoked = publishing.revoke(published, actor=ANN, reason="The contract ended.")
    assert not revoked.is_in_force(timezone.now())


def test_the_database_keeps_what_was_published(made):
    published = _published(made())

    for change in ({"manifest": "x"}, {"target_sha256": "0" * 64}, {"stage": "draft"}):
        with pytest.raises(IntegrityError), transaction.atomic():
            TableRelease.objects.filter(pk=published.pk).update(**change)


def test_a_copy_that_was_changed_is_not_published(made):
    proposed = publishing.propose(made(), actor=ANN)
    place = uploads.copy_of(proposed)
    place.write_text(place.read_text() + "20,R,flu,1\n")

    with pytest.raises(ReleaseRefused):
        publishing.approve(proposed, actor=BEN, seen=proposed.digest)


@pytest.mark.parametrize("what", ["days", "k", "report", "overlaps"])
def test_what_was_changed_after_it_was_proposed_is_not_published(made, what):
    proposed = publishing.propose(made(), actor=ANN)
    row = TableRelease.objects.get(pk=proposed.pk)
    changed = {
        "days": {"asked": {**row.asked, "days": 365}},
        "k": {"asked": {**row.asked, "k": 2}},
        "report": {"report": {**row.report, "result": {**row.report["result"], "ncp": 0.5}}},
        "overlaps": {"figures": {**row.figures, "overlaps": [{"release": "x", "smallest": 9}]}},
    }[what]
    TableRelease.objects.filter(pk=row.pk).update(**changed)

    with pytest.raises(ReleaseRefused, match="changed after it was proposed"):
        publishing.approve(proposed, actor=BEN, seen=proposed.digest)


def test_a_manifest_is_of_one_file_and_one_time(made, tmp_path):
    published = _published(made())
    manifest, other = tmp_path / "m.jws", tmp_path / "other.csv"
    manifest.write_text(published.manifest)
    other.write_text(rows())

    with pytest.raises(verifying.NotTheRelease):
        verifying.verify(manifest, other, now=timezone.now(), trusted=_trusted())
    with pytest.raises(verifying.NotTheRelease):
        verifying.verify(manifest, uploads.copy_of(published), now=published.expires_at, trusted=_trusted())
    manifest.write_text(published.manifest[:-8] + "AAAAAAAA")
    with pytest.raises(verifying.NotTheRelease):
        verifying.verify(manifest, uploads.copy_of(published), now=timezone.now(), trusted=_trusted())


def test_a_second_release_that_cuts_classes_smaller_is_refused_by_the_limits(made):
    table = _published(made()).table

    same = made(table)
    assert publishing.verdict_of(same).is_permitted, "the same copy adds nothing"
    other = made(table, roles={**ROLES, "city": "other", "visits": "quasi"})
    [laid] = other.figures["overlaps"]
    assert (laid["rows"], laid["values"]) == _laid(uploads.copy_of(other), uploads.copy_of(table.releases.last()))
    assert laid["smallest"] < 2
    assert [reason.code for reason in publishing.verdict_of(other).reasons] == ["overlap"]


def _laid(first, second):
    """Lay two copies on each other row by row: the smallest common class, and the fewest common values."""
    ours, theirs = ([line.split(",") for line in path.read_text().splitlines()[1:]] for path in (first, second))
    ours, theirs = [(row[0], row[3], row[2]) for row in ours], [(row[0], row[1], row[2]) for row in theirs]
    common = Counter((one[:2], other[:2]) for one, other in zip(ours, theirs, strict=True))
    values = [
        len({row[2] for row in ours if row[:2] == one} & {row[2] for row in theirs if row[:2] == other})
        for one, other in common
    ]
    return min(common.values()), min(values)


def test_people_whose_rows_are_left_out_are_looked_for_wherever_they_may_be(made, file):
    lines = [f"Person {n},{20 + n % 7},{'RMTP'[n % 4]},{('flu', 'gout')[n % 3 % 2]},1" for n in range(120)]
    lines[40:46] = [f"Person {n},{n + 50},{'RMTP'[n % 4]},flu,1" for n in range(40, 46)]
    lines[80:83] = [f"Person {n},{23 if n == 80 else 60},R,gout,1" for n in range(80, 83)]
    file.write_text("\n".join(["name,age,city,illness,visits", *lines]) + "\n")
    table = _published(made(suppress=0.05)).table
    other = made(table, k=12, suppress=0.1)
    copies = [uploads.copy_of(each) for each in (other, table.releases.last())]

    [laid] = other.figures["overlaps"]

    with uploads.opened(table) as plain:
        people = [line.split(",")[1:3] for line in plain.read_text().splitlines()[1:]]
    assert (laid["rows"], laid["values"]) == _tried(people, copies)
    uploads.file_of(table).unlink()
    assert overlapping.overlap(other, other.report, table.releases.last()).rows <= laid["rows"]


def _tried(people, copies):
    """Try every row of both copies for every person: the fewest that fit, and the fewest values of their classes."""
    shown = [[tuple(line.split(",")) for line in copy.read_text().splitlines()[1:]] for copy in copies]
    values = [defaultdict(set) for _ in shown]
    for rows_of, held in zip(shown, values, strict=True):
        assert any(row[0] == "*" for row in rows_of), "a row is left out"
        for age, city, illness, _visits in rows_of:
            held[age, city].add(illness)
    fewest, fewest_values = len(people), len(people)
    for place, (age, city) in enumerate(people):
        fitting = [
            [
                _may_be(row[:2], age, city) if rows_of[place][0] == "*" else row[:2] == rows_of[place][:2]
                for row in rows_of
            ]
            for rows_of in shown
        ]
        fewest = min(fewest, sum(all(both) for both in zip(*fitting, strict=True)))
        seen = [
            held[rows_of[place][:2]] for rows_of, held in zip(shown, values, strict=True) if rows_of[place][0] != "*"
        ]
        if seen:
            fewest_values = min(fewest_values, len(set.intersection(*seen)))
    return fewest, fewest_values


def _may_be(labels, age, city):
    low, _, high = labels[0].partition("..")
    return labels[0] == "*" or (int(low) <= int(age) <= int(high or low) and city in labels[1].split("|"))


def test_a_file_that_is_no_table_leaves_nothing(officers, tmp_path, folder):
    broken = tmp_path / "broken.csv"
    broken.write_text('a,b\n1,2\n3,"4\n')
    nul = tmp_path / "nul.csv"
    nul.write_bytes(b"a,b\n1,\x00\n")
    twice = tmp_path / "twice.csv"
    twice.write_text("a,a\n1,2\n")
    lying = tmp_path / "lying.parquet"
    lying.write_text("a,b\n1,2\n")

    for path in (broken, nul, twice, lying):
        with pytest.raises(TableRefused) as refused:
            uploads.take_file(path, actor=ANN)
        assert path.name in str(refused.value.detail) or "Line" in str(refused.value.detail)
    assert not UploadedTable.objects.exists()
    assert list((folder / "uploads").iterdir()) == []


def test_an_uploaded_table_goes_when_its_time_is_over(made, folder):
    published = _published(made())
    now = timezone.now() + timedelta(days=31)

    assert uploads.forget_old(now) == 1, "the copy is in force and stays"
    assert [path.suffix for path in (folder / "uploads").iterdir()] == []
    assert uploads.copy_of(published).exists()
    published.table.refresh_from_db()
    assert published.table.removed_at == now


@pytest.mark.parametrize(
    "changes",
    [
        {"roles": {"age": "quasi"}},
        {"roles": {**ROLES, "age": "direct", "city": "direct"}},
        {"roles": {**ROLES, "visits": "person", "name": "person"}},
        {"hierarchies": {"visits": "0" * 64}},
        {"receivers": ("nobody-knows",)},
        {"receivers": ()},
        {"purpose": "spying"},
        {"k": 1},
        {"days": 0},
    ],
)
def test_what_makes_no_sense_is_refused_before_any_job(made, changes):
    with pytest.raises(AskedWrongly):
        made(**changes)
    assert not TableRelease.objects.exists()


def test_a_table_too_small_for_k_fails_with_its_reason_and_leaves_no_copy(made):
    row = made(k=500)

    assert row.state == "failed"
    assert "120" in row.error
    assert not uploads.copy_of(row).exists()


def test_an_uploaded_file_that_was_changed_fails_and_leaves_no_copy(made, file):
    table = uploads.take_file(file, actor=ANN)
    place = uploads.file_of(table)
    place.write_bytes(place.read_bytes()[:-1] + b"?")

    row = made(table)

    assert row.state == "failed"
    assert "was changed" in row.error
    assert not uploads.copy_of(row).exists()


def test_each_of_several_sensitive_columns_is_limited(made):
    row = made(roles={**ROLES, "visits": "sensitive"}, l=2)

    assert row.error == ""
    assert set(row.report["result"]["of_sensitive"]) == {"illness", "visits"}
    assert all(each["fewest"] >= 2 for each in row.report["result"]["of_sensitive"].values())
    assert publishing.facts_of(row).l >= 2


@pytest.mark.parametrize(
    ("tree", "complaint"),
    [
        (b"R,north,*\nM,north\n", "same number of levels"),
        (b"R,north,*\nR,south,*\n", "line 2"),
        (b"x" * (trees.MOST_BYTES + 1), "MB at most"),
    ],
)
def test_a_file_that_is_no_hierarchy_is_refused_by_its_column_and_line(tree, complaint):
    with pytest.raises(AskedWrongly, match=complaint) as refused:
        trees.take({"city": tree})

    assert "city" in refused.value.detail
    assert list(uploads.folder("hierarchies").iterdir()) == []


def test_a_hierarchy_that_lacks_a_value_fails_by_its_column_and_is_removed_with_the_table(made):
    digests = trees.take({"city": b"R,north,*\nM,north,*\n"})

    row = made(hierarchies=digests)

    assert row.state == "failed"
    assert "'city' lacks 2" in row.error
    later = timezone.now() + timedelta(days=31)
    uploads.forget_old(later)
    assert list(uploads.folder("hierarchies").iterdir()) == []


def test_no_group_below_the_floor_can_be_stored():
    refused = pytest.raises(IntegrityError, match="privacy_disclosure_floor")
    with guard.writing("test"), refused, transaction.atomic():
        DisclosureLimits.objects.update_or_create(defaults={"smallest_group": 4})


def _line(path: Path, *more: str) -> list[str]:
    return [
        str(path), "--as", "ann", "--qi", "age,city", "-k", "10", "--sensitive", "illness", "-l", "2", "--drop", "name",
        "--to", PARTY, "--purpose", PURPOSE, "--people", "eea", "--region", "eu-central", *more,
    ]  # fmt: skip


def test_one_command_proposes_and_another_approves(officers, file, capsys, tmp_path):
    call_command("release", *_line(file))
    said = capsys.readouterr().out
    row = TableRelease.objects.get()
    assert f"Proposed: {row.pk}" in said
    assert "the smallest 1" in said

    with pytest.raises(CommandError):
        call_command("release", "approve", str(row.pk), "--as", "ann")
    call_command("release", "approve", str(row.pk), "--as", "ben")
    call_command("release", "fetch", str(row.pk), "--as", "ben", "-o", str(tmp_path))
    capsys.readouterr()
    copy = tmp_path / row.file_name
    call_command("release", "verify", f"{copy}.manifest.jws", str(copy))
    assert "Genuine: release" in capsys.readouterr().out
    assert AuditEvent.objects.filter(action="release.downloaded").count() == 1

    call_command("release", "revoke", str(row.pk), "--as", "ann", "--reason", "Asked back.")
    with pytest.raises(CommandError, match="revoked"):
        call_command("release", "verify", f"{copy}.manifest.jws", str(copy))


def test_a_preview_says_what_the_policy_says_and_proposes_nothing(officers, file, capsys):
    call_command("release", *_line(file, "-k", "5", "--preview"))

    assert "may not leave" in (said := capsys.readouterr().out)
    assert "k_too_small: The smallest class is too small" in said
    assert TableRelease.objects.get().stage == "draft"


def test_the_manifest_holds_no_row_of_the_table(made):
    published = _published(made())

    text = json.dumps(published.document)
    assert "Person" not in text
    assert "gout" not in text
