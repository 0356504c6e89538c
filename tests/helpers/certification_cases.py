"""Questions about the users and records of the certification scenario."""

from typing import Any

ALICE, BOB = {"type": "user", "id": "alice"}, {"type": "user", "id": "bob"}
RECORD, ARCHIVED = {"type": "record", "id": "record-1"}, {"type": "record", "id": "record-2"}
READ, WRITE, DELETE = {"name": "read"}, {"name": "write"}, {"name": "delete"}

SUBJECT_SEARCH, RESOURCE_SEARCH, ACTION_SEARCH = (
    f"/access/v1/search/{searched}" for searched in ("subject", "resource", "action")
)
# A search at each endpoint that has two results.
SEARCHES: dict[str, dict[str, Any]] = {
    SUBJECT_SEARCH: {"subject": {"type": "user"}, "action": READ, "resource": RECORD},
    RESOURCE_SEARCH: {"subject": ALICE, "action": READ, "resource": {"type": "record"}},
    ACTION_SEARCH: {"subject": ALICE, "resource": RECORD},
}


def having(entity: dict[str, Any], **properties: Any) -> dict[str, Any]:
    return {**entity, "properties": properties}


def asked(subject: dict[str, Any], action: dict[str, Any], resource: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"subject": subject, "action": action, "resource": resource, **more}


# The decision rules of the scenario by their numbers, and the readings of docs/decisions/0010.
RULES: dict[str, tuple[dict[str, Any], bool]] = {
    "1 alice reads": (asked(ALICE, READ, RECORD), True),
    "2 alice writes": (asked(ALICE, WRITE, RECORD), True),
    "3 bob reads": (asked(BOB, READ, RECORD), True),
    "4 bob does not write": (asked(BOB, WRITE, RECORD), False),
    "5 alice does not write what is archived": (asked(ALICE, WRITE, having(ARCHIVED, status="archived")), False),
    "5 stored to be archived": (asked(ALICE, WRITE, ARCHIVED), False),
    "5 said to be archived": (asked(ALICE, WRITE, having(RECORD, status="archived")), False),
    "6 an admin writes what is archived": (
        asked(having(BOB, role="admin"), WRITE, having(ARCHIVED, status="archived")),
        True,
    ),
    "6 both stored": (asked(BOB, WRITE, ARCHIVED), True),
    "6 both said": (asked(having(ALICE, role="admin"), WRITE, having(RECORD, status="archived")), True),
    "6 said to be no admin": (asked(having(BOB, role="clerk"), WRITE, ARCHIVED), False),
    "7 soft": (asked(ALICE, having(DELETE, soft=True), RECORD), True),
    "8 not soft": (asked(ALICE, having(DELETE, soft=False), RECORD), False),
    "8 softness not said": (asked(ALICE, DELETE, RECORD), False),
    "8 softness in words": (asked(ALICE, having(DELETE, soft="true"), RECORD), False),
    "8 softness of 1": (asked(ALICE, having(DELETE, soft=1), RECORD), False),
    "both read what is archived: alice": (asked(ALICE, READ, ARCHIVED), True),
    "both read what is archived: bob": (asked(BOB, READ, ARCHIVED), True),
    "said to be active": (asked(ALICE, WRITE, having(ARCHIVED, status="active")), True),
    "a status nobody knows": (asked(ALICE, WRITE, having(RECORD, status="lost")), False),
    "an unknown user": (asked({"type": "user", "id": "mallory"}, READ, RECORD), False),
    "an unknown user who says admin": (asked({**having(BOB, role="admin"), "id": "m"}, WRITE, ARCHIVED), False),
    "another type of subject": (asked({"type": "robot", "id": "alice"}, READ, RECORD), False),
    "an unknown record": (asked(ALICE, READ, {"type": "record", "id": "record-3"}), False),
    "an unknown action": (asked(ALICE, {"name": "approve"}, RECORD), False),
    "8 unknown properties": (
        asked(
            having(ALICE, department="Sales", role="manager"),
            having(READ, method="GET"),
            having(RECORD, status="active", owner="bob"),
        ),
        True,
    ),
    "8 unknown members": (asked(ALICE, READ, RECORD, foo="bar", context={"ip": "192.168.1.1"}), True),
    "8 context of another package": (asked(ALICE, READ, RECORD, context={"min_revision": "x", "signals": 3}), True),
    "8 properties of another package": (asked(having(ALICE, region=7), READ, having(RECORD, model=[])), True),
}
