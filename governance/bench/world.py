"""Database of a measurement: N people with five purposes each, dropped at the end."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.core.management import CommandError, call_command
from django.db import connection, connections

from common.identifiers import uuid7
from common.postgres import advisory
from common.postgres.databases import further_database
from consent.pseudonyms import subject_ref
from governance.demo import register
from policies.bundles import publishing
from policies.endpoints import credentials
from policies.models import Policy
from policies.rollout import service

_LOCK = 0x62656E63  # "benc"
_STATES = ("given", "given", "given", "refused", "withdrawn", None)
_REGIONS = ("DE", "FR", "ES", "IT", "NL", "GB")
_PURPOSES = ("personalization", "recommendations", "newsletter", "order_fulfilment", "usage_statistics")


def person(number: int) -> str:
    return f"customer-{number}"


@contextmanager
def bench_database(subjects: int) -> Iterator[str]:
    """Create, fill and finally drop a database beside that in use; yield its URL. This process is connected to it.

    Raises CommandError where another measurement beside the same database is running, whose database it would drop.
    """
    wrapper = connections["default"]
    original = wrapper.settings_dict["NAME"]
    name = f"{original}_bench"
    with advisory.held(_LOCK) as is_held:
        if not is_held:
            raise CommandError("Another measurement is running. Wait for its end.")
        with further_database(name) as url:
            wrapper.close()
            wrapper.settings_dict["NAME"] = name
            try:
                call_command("migrate", verbosity=0, interactive=False)
                call_command("prepare", "--fast", verbosity=0)
                register.ensure_register()
                fill(0, subjects)
                yield url
            finally:
                wrapper.close()
                wrapper.settings_dict["NAME"] = original


@contextmanager
def shadow() -> Iterator[None]:
    """Have a candidate evaluated as a shadow of every decision; it differs for one person in six."""
    modules = dict(publishing.read_policies())
    held = "\tinput.held == false\n"
    modules["decision.rego"] = modules["decision.rego"].replace(held, f'{held}\tinput.subject.region != "DE"\n', 1)
    digest = publishing.policy_digest(modules, {})
    policy, _ = Policy.objects.get_or_create(digest=digest, defaults={"modules": modules, "author": "officer:bench"})
    rollout = service.start(policy, actor="officer:bench", reason="bench", emergency=True)
    yield
    service.stop(rollout.pk, actor="officer:bench", reason="measured")


def fill(first: int, last: int) -> None:
    """Add people ``first`` to ``last`` - 1 by COPY, straight into the projection."""
    connection.ensure_connection()
    now = "2026-01-01T00:00:00Z"
    with connection.connection.cursor() as cursor:
        copy_into = (
            "COPY consent_datasubject (ref, region, age_band, revision, consents, restricted, held, last_digest, "
            "created_at, updated_at) FROM STDIN"
        )
        with cursor.copy(copy_into) as copy:
            for number in range(first, last):
                region, state = _REGIONS[number % len(_REGIONS)], json.dumps(_consents(number))
                copy.write_row((subject_ref(person(number)), region, "adult", 1, state, False, False, None, now, now))
        cursor.execute("VACUUM ANALYZE consent_datasubject")


def _consents(number: int) -> dict[str, Any]:
    states = ((slug, _STATES[(number >> (2 * place)) % len(_STATES)]) for place, slug in enumerate(_PURPOSES))
    return {
        slug: {
            "s": state, "n": 1, "x": 4_000_000_000, "e": False, "r": str(uuid7()), "t": 1_767_225_600, "src": "banner",
        }
        for slug, state in states
        if state
    }  # fmt: skip


def agreed(number: int, purpose: str) -> bool:
    """Return whether a person of the measurement said yes to a purpose."""
    return bool(_consents(number).get(purpose, {}).get("s") == "given")


def fill_records() -> int:
    """Put a record behind every choice of the projection; return how many there are."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO consent_consentrecord
              (id, subject_id, subject_revision, purpose, state, explicit, notice_version, source, actor, recorded_at,
               expires_at, proof, digest)
            SELECT (c.value->>'r')::uuid, s.ref, 1, c.key, c.value->>'s', false, 1, 'banner', 'bench',
               to_timestamp((c.value->>'t')::bigint), to_timestamp((c.value->>'x')::bigint), '{}', sha256(c.key::bytea)
            FROM consent_datasubject s, jsonb_each(s.consents) c
            """
        )
        written = int(cursor.rowcount)
        cursor.execute("VACUUM ANALYZE consent_consentrecord")
        return written


def bench_token() -> str:
    token, _ = credentials.create_credential(name="bench", scopes=credentials.SERVICE_SCOPES, actor="bench")
    return token
