"""Freeze what the notice versions of an older installation covered, as far as its bundles prove it.

The terms of a version are what every revision in force said from the version's publication to the next one: what one of
them did not name was not agreed to by everybody, and what cannot be known counts as not agreed. Times of records are
not used, because adjusted and imported ones bear others. What people lose by it is printed.
"""

import json
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

from django.db import migrations

_LEVELS = {"none": 0, "segment": 1, "behavioral": 2, "contextual": 3, "individual": 4}
_LISTS = ("data_categories", "recipients", "channels", "actions")
_BEGINNING, _END = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
_FREEZE = """
INSERT INTO consent_noticeterms (purpose, version, content, sha256)
SELECT %s, %s, said.content, encode(sha256(convert_to(said.content, 'UTF8')), 'hex')
FROM (SELECT %s::jsonb::text AS content) said ON CONFLICT DO NOTHING
"""
_GIVEN = """
SELECT count(*) FROM consent_datasubject
WHERE consents->%s->>'s' = 'given' AND (consents->%s->>'n')::bigint = %s
"""
Said = dict[str, Any]  # what a revision said of one purpose
InForce = list[tuple[datetime, dict[str, Said]]]  # since when, and what, oldest first


def freeze_past_terms(apps: Any, schema_editor: Any) -> None:
    """Write the missing terms and print who loses what."""
    purposes = apps.get_model("consent", "Purpose").objects.filter(is_active=True)
    if not purposes.exists():
        return
    in_force = _revisions(apps)
    published: dict[str, dict[int, datetime]] = {}
    for slug, version, at in apps.get_model("consent", "Notice").objects.values_list(
        "purpose__slug", "version", "published_at"
    ):
        first = published.setdefault(slug, {}).get(version, at)
        published[slug][version] = min(first, at)
    with schema_editor.connection.cursor() as cursor:
        for purpose in apps.get_model("consent", "Purpose").objects.all():
            for version, since, until in _periods(published.get(purpose.slug, {})):
                terms = common_terms(in_force, purpose.slug, since, until)
                cursor.execute(_FREEZE, [purpose.slug, version, json.dumps(terms)])
                if cursor.rowcount and purpose.is_active and (lost := _lost(purpose, terms)):
                    cursor.execute(_GIVEN, [purpose.slug, purpose.slug, version])
                    _report(purpose.slug, version, cursor.fetchone()[0], lost)


def _revisions(apps: Any) -> InForce:
    activations = apps.get_model("policies", "Activation").objects.order_by("activated_at", "id")
    bundles = apps.get_model("policies", "Bundle").objects
    said: dict[str, dict[str, Said]] = {}
    found: InForce = []
    for revision, at in activations.values_list("bundle_id", "activated_at"):
        if revision not in said:
            said[revision] = _purposes(bundles.values_list("data", flat=True).get(pk=revision))
        found.append((at, said[revision]))
    return found


def _purposes(data: str) -> dict[str, Said]:
    document = json.loads(data)
    retention = document.get("retention", {})
    return {
        slug: {**purpose, "retention_days": retention.get(slug, {}).get("days")}
        for slug, purpose in document.get("purposes", {}).items()
    }


def _periods(published: dict[int, datetime]) -> Iterator[tuple[int, datetime, datetime]]:
    moments = [(0, _BEGINNING), *sorted(published.items()), (-1, _END)]
    return ((version, since, until) for (version, since), (_next, until) in pairwise(moments))


def common_terms(in_force: InForce, slug: str, since: datetime, until: datetime) -> Said:
    """Return what every revision in force between the two moments said of a purpose; nothing where none named it."""
    ends = [at for at, _ in in_force[1:]] + [_END]
    said = [
        purposes[slug] for (at, purposes), end in zip(in_force, ends, strict=False)
        if at < until and end > since and slug in purposes
    ]  # fmt: skip
    if not said:
        return {**{name: [] for name in _LISTS}, **dict.fromkeys(("broader", "controller", "retention_days"), None),
                "max_level": "none"}  # fmt: skip
    broader = {next(iter(each.get("parents", [])), None) for each in said}
    days = [each["retention_days"] for each in said if each["retention_days"] is not None]
    return {
        **{name: sorted(set.intersection(*(set(each.get(name, [])) for each in said))) for name in _LISTS},
        "max_level": min((each.get("max_level", "none") for each in said), key=lambda level: _LEVELS.get(level, 0)),
        "broader": broader.pop() if len(broader) == 1 else None,
        "controller": None,  # no bundle names it
        "retention_days": min(days, default=None),
    }


def _lost(purpose: Any, terms: Said) -> list[str]:
    lost = [word for name in _LISTS for word in sorted(set(getattr(purpose, name)) - set(terms[name]))]
    is_lower = _LEVELS.get(terms["max_level"], 0) < _LEVELS.get(purpose.max_level, 0)
    return [*lost, f"level {purpose.max_level}"] if is_lower else lost


def _report(slug: str, version: int, people: int, lost: list[str]) -> None:
    if people:
        sys.stdout.write(
            f"\n  {slug}: {people:,} people agreed to version {version} of the notice, which is not proven to name"
            f" {', '.join(lost)}. They are asked again about that.\n"
        )


class Migration(migrations.Migration):
    dependencies = [
        ("policies", "0018_registers_by_change_sets"),
        ("consent", "0013_notice_terms"),
        ("privacy", "0005_retention_in_terms"),
    ]

    operations = [migrations.RunPython(freeze_past_terms, migrations.RunPython.noop)]
