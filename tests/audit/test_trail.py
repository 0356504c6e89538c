"""The audit trail: append only, sealed, and it names the first link that is broken."""

import pytest
from django.db import DatabaseError, connection, transaction

from audit import trail
from audit.models import AuditAnchor, AuditEvent

pytestmark = pytest.mark.django_db


def _events(count):
    for number in range(count):
        trail.record("test.happened", f"thing-{number}", actor="test", details={"number": number})


def test_an_untouched_trail_verifies():
    _events(3)
    trail.anchor()
    _events(2)

    verdict = trail.verify()

    assert verdict.ok
    assert (verdict.events, verdict.anchors, verdict.unsealed) == (5, 1, 2)


def test_anchoring_twice_makes_one_anchor():
    _events(2)

    assert trail.anchor() is not None
    assert trail.anchor() is None
    assert AuditAnchor.objects.count() == 1


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_auditevent SET actor = 'somebody else'",
        "DELETE FROM audit_auditevent",
        "TRUNCATE audit_auditevent",
        "UPDATE audit_auditanchor SET event_count = 0",
        "DELETE FROM audit_auditanchor",
    ],
)
def test_the_database_refuses_to_change_what_happened(statement):
    _events(1)
    trail.anchor()

    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)

    assert trail.verify().ok


def test_a_changed_event_is_named(as_attacker):
    _events(3)
    trail.anchor()
    second = AuditEvent.objects.order_by("position")[1].position

    as_attacker(f"UPDATE audit_auditevent SET actor = 'somebody else' WHERE position = {second}")

    assert trail.verify().broken == f"event {second} (test.happened) was changed"


def test_a_changed_event_with_a_fitting_digest_breaks_its_seal(as_attacker):
    _events(3)
    trail.anchor()
    event = AuditEvent.objects.order_by("position")[1]
    event.actor = "somebody else"
    digest = trail.event_digest(event).hex()

    as_attacker(
        f"UPDATE audit_auditevent SET actor = 'somebody else', digest = decode('{digest}', 'hex') "
        f"WHERE position = {event.position}"
    )

    assert "are not the ones it sealed" in trail.verify().broken


def test_a_deleted_event_is_missed(as_attacker):
    _events(3)
    trail.anchor()
    second = AuditEvent.objects.order_by("position")[1].position

    as_attacker(f"DELETE FROM audit_auditevent WHERE position = {second}")

    assert "there are 2 events where anchor 1 sealed 3" in trail.verify().broken


def test_a_removed_anchor_is_missed(as_attacker):
    for _ in range(2):
        _events(1)
        trail.anchor()

    as_attacker("DELETE FROM audit_auditanchor WHERE sequence = 1")

    assert trail.verify().broken == "anchor 1 is missing"


def test_details_that_have_no_canonical_text_are_refused():
    with pytest.raises(ValueError, match="canonical"):
        trail.record("test.happened", "thing", actor="test", details={"share": 0.5})
