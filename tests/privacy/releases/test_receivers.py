"""What receivers fetch: their own releases in force, by a credential of their scope, each time in the trail."""

import hashlib
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from audit.models import AuditEvent
from policies.endpoints import credentials
from privacy.models import TableRelease
from privacy.releases import publishing, uploads
from privacy.releases.problems import NoSuchRelease
from tests.privacy.releases.conftest import ANN, BEN, PARTY

pytestmark = pytest.mark.django_db


@pytest.fixture
def published(made):
    proposed = publishing.propose(made(), actor=ANN)
    return publishing.approve(proposed, actor=BEN, seen=proposed.digest)


def _client(name: str, scope: str = "releases") -> Client:
    token = credentials.create_credential(name=name, scopes=[scope], actor="test")[0]
    return Client(headers={"authorization": f"Bearer {token}"})


def test_a_receiver_lists_and_fetches_its_release_and_the_trail_says_so(published):
    receiver = _client(PARTY)

    listed = receiver.get("/api/v1/releases").json()["releases"]
    assert [each["release"] for each in listed] == [str(published.pk)]
    answer = receiver.get(f"/api/v1/releases/{published.pk}/file")
    content = b"".join(answer.streaming_content)
    assert hashlib.sha256(content).hexdigest() == listed[0]["sha256"]
    assert receiver.get(f"/api/v1/releases/{published.pk}/manifest").content.decode() == published.manifest
    event = AuditEvent.objects.get(action="release.downloaded")
    assert (event.actor, event.details["party"]) == (f"service:{PARTY}", PARTY)


@pytest.mark.parametrize(("name", "scope", "status"), [("mail-house", "releases", 404), (PARTY, "decisions", 403)])
def test_others_get_nothing(published, name, scope, status):
    client = _client(name, scope)

    for what in ("file", "manifest"):
        assert client.get(f"/api/v1/releases/{published.pk}/{what}").status_code == status
    assert not AuditEvent.objects.filter(action="release.downloaded").exists()


def test_nothing_is_handed_out_after_a_revocation(published):
    receiver = _client(PARTY)
    publishing.revoke(published, actor=ANN, reason="Asked back.")

    assert receiver.get("/api/v1/releases").json()["releases"] == []
    answer = receiver.get(f"/api/v1/releases/{published.pk}/file")
    assert (answer.status_code, answer.json()["code"]) == (404, "release_not_found")


def test_nothing_is_handed_out_after_its_last_day(published, monkeypatch):
    receiver, ended = _client(PARTY), published.expires_at
    monkeypatch.setattr(timezone, "now", lambda: ended)

    assert receiver.get(f"/api/v1/releases/{published.pk}/file").status_code == 404
    with pytest.raises(NoSuchRelease):  # nor to officers
        publishing.hand_out(published, actor=BEN, party="officer")


def test_a_file_that_was_changed_is_not_handed_out(published, caplog):
    place = uploads.copy_of(published)
    place.write_bytes(place.read_bytes() + b"20,R,flu,1\n")

    answer = _client(PARTY).get(f"/api/v1/releases/{published.pk}/file")

    assert (answer.status_code, answer.json()["code"]) == (404, "release_not_found")
    assert not AuditEvent.objects.filter(action="release.downloaded").exists()
    assert str(published.pk) in caplog.text


@pytest.mark.parametrize("what", ["receivers", "end", "manifest", "release"])
def test_what_was_signed_decides_and_not_the_row(published, what):
    """The kind: a row that was changed past the database's guards, by who cannot sign."""
    row = TableRelease.objects.get(pk=published.pk)
    if what == "receivers":
        row.asked = {**row.asked, "receivers": ["mail-house"]}
    elif what == "end":
        row.expires_at += timedelta(days=400)
    elif what == "release":
        uploads.copy_of(row).rename(uploads.folder("copies") / f"release-{row.table_id}.csv")
        row.pk = row.table_id
    else:
        row.manifest = row.manifest[:-8] + "AAAAAAAA"

    with pytest.raises(NoSuchRelease, match="was changed"):
        publishing.hand_out(row, actor=BEN, party="officer")
