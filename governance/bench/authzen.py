"""Load on AuthZEN's own endpoints: batches about people, and searches over many stored resources."""

import json
import random

from django.db import transaction

from common.canonical import canonical_json
from governance.bench import load, world
from policies.bundles import building, publishing
from policies.certification import read_certification
from policies.models import Bundle

CANDIDATES = 10_000


def batches(token: str, shared: dict[str, object], subjects: int, *, size: int, count: int) -> list[bytes]:
    """Return the question ``shared`` about random people, so many at a time."""
    chance = random.Random(7)  # noqa: S311 (which person is asked about)
    defaults = {name: value for name, value in shared.items() if name != "subject"}
    made = []
    for _ in range(count):
        people = [{"type": "data_subject", "id": world.person(chance.randrange(subjects))} for _ in range(size)]
        body = {**defaults, "evaluations": [{"subject": person} for person in people]}
        made.append(load.post("/access/v1/evaluations", json.dumps(body).encode(), token))
    return made


def searches(token: str) -> list[bytes]:
    """Return searches for the records alice may read: all of them; the first page is requested."""
    body = {
        "subject": {"type": "user", "id": "alice"},
        "action": {"name": "read"},
        "resource": {"type": "record"},
        "page": {"limit": 100},
    }
    return [load.post("/access/v1/search/resource", json.dumps(body).encode(), token)]


@transaction.atomic
def store_candidates() -> None:
    """Bring the certification scenario into force, with ``CANDIDATES`` records."""
    policies, more = read_certification()
    data = {**building.build_data(), **more}
    records = {f"record-{number}": {"status": "active"} for number in range(CANDIDATES)}
    data["entities"] = {**data["entities"], "record": records}
    policies = {**publishing.read_policies(), **policies}
    bundle = Bundle.objects.create(
        revision=publishing.revision_of(policies, data),
        policies=policies,
        data=canonical_json(data).decode(),
        reason="bench",
        actor="bench",
    )
    publishing.activate(bundle=bundle, reason="bench", actor="bench")
