"""What the pages that officers open most cost with many people, decisions and events."""

import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from audit.models import AuditEvent
from consent.models import Purpose
from policies.decision_log import drainer
from policies.models import Decision
from tests.helpers import volume
from tests.helpers.scale import scale
from tests.helpers.wsgi_calls import call, question

DECISIONS, EVENTS = "/admin/policies/decision/", "/admin/audit/auditevent/"
# Page -> the most statements it may take, of sessions, rights and menus too.
PAGES = {
    "/admin/": 62,
    "purpose": 75,
    DECISIONS: 15,
    f"{DECISIONS}?caller=service:rare&action=train": 15,
    f"{DECISIONS}?reason=engine_unavailable&since=week": 15,
    f"{DECISIONS}?q=newsletter": 17,
    EVENTS: 12,
    f"{EVENTS}?start=2026-11-24&end=2026-11-24&actor=officer:&zone=Europe/Berlin": 14,
    f"{EVENTS}?q=party&kind=party": 13,
}
_PURPOSES = ("personalization", "recommendations", "newsletter", "usage_statistics")


def addresses() -> Iterator[tuple[str, int]]:
    purpose = Purpose.objects.get(slug="recommendations")
    for page, most in PAGES.items():
        yield (f"/admin/consent/purpose/{purpose.pk}/change/" if page == "purpose" else page), most


def cost(officer: Client, url: str, sql: list[str], *, times: int = 1) -> tuple[list[str], float]:
    """Return the statements of a page, and milliseconds of processor time a request, of PostgreSQL too."""
    officer.get(url)  # what a process keeps from its first request is not counted
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        backend = int(cursor.fetchone()[0])
    begun = time.process_time() + _seconds_of(backend)
    for _ in range(times):
        sql.clear()
        assert officer.get(url).status_code == 200
    return list(sql), 1000 * (time.process_time() + _seconds_of(backend) - begun) / times


def _seconds_of(process: int) -> float:
    """Return the processor time of a process of this machine."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


# Committed, so that the tables can be vacuumed, as autovacuum does.
@pytest.mark.django_db(transaction=True)
@scale("size", small=(300, 3_000), long=(100_000, 1_000_000))
def test_pages_cost_the_same_with_many(
    officer: Client, size: tuple[int, int], sql: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET max_parallel_workers_per_gather = 0")  # their time would be another process's
    volume.add_people(200, *_PURPOSES)
    volume.add_decisions(2_000, days=1)
    volume.add_audit_events(1_000)
    few = {url: cost(officer, url, sql)[0] for url, _most in addresses()}
    volume.add_people(size[0], *_PURPOSES, first=1_000)
    volume.add_decisions(size[1], days=1)
    volume.add_audit_events(size[1])

    for url, most in addresses():
        statements, took = cost(officer, url, sql, times=10 if size[1] >= 1_000_000 else 1)
        if size[1] >= 1_000_000:
            with capsys.disabled():
                print(
                    f"\n{url}: {len(statements)} statements, {took:.0f} ms of CPU, load {os.getloadavg()[0]:.1f}",
                    end="",
                )
        assert len(statements) == len(few[url]) <= most, url
        scans = [text for text in statements if _is_scan(text)]
        assert len(scans) <= (1 if "purpose" in url else 0), "the purpose's page counts its people, once"


def _is_scan(text: str) -> bool:
    """Return whether a statement reads everybody's answers, or counts a log."""
    lower = text.lower()
    return "from consent_datasubject" in lower or ("count(*)" in lower and '"policies_decision"' in lower)


@pytest.mark.django_db
def test_one_decision_and_one_event_take_few_statements(
    officer: Client, api: Any, own_spool: Any, sql: list[str]
) -> None:
    call(question(), api.token)
    drainer.drain(own_spool)
    decision, event = Decision.objects.get(), AuditEvent.objects.latest("position")

    for url, most in ((f"{DECISIONS}{decision.pk}/change/", 16), (f"{EVENTS}{event.pk}/change/", 12)):
        statements, _took = cost(officer, url, sql)
        assert len(statements) <= most, statements
