"""Groups that a person is in by their own data: formed with a version, read with a request that a rule asks it for.

A row goes with a withdrawal, an erasure and the retention of the snapshots (``personalization.snapshots``), and with it
the person's place in any group: they get the list of their region and age band then.
"""

from functools import lru_cache
from uuid import UUID

import psycopg
from django.db import DatabaseError

from common.postgres.prepared import PreparedStatement
from model_registry.models import ModelVersion
from personalization.recommender.groups.forming import Kind
from policies.bundles.loading import LoadedBundle

_UUID, _INT, _TEXT = 2950, 20, 25
_GROUP = PreparedStatement(
    "assent_group_of_a_person",
    """
    SELECT CASE $3 WHEN 'taste' THEN taste ELSE readable END FROM personalization_snapshotperson
    WHERE subject_ref = $1 AND version_id = $2
    """,
    [_UUID, _INT, _TEXT],
    binary=True,
    timeout_ms=1_000,
)


def kind_for(purpose: str, bundle: LoadedBundle) -> Kind | None:
    """Return the kind of group that the purpose's rule of ranking names; None for region and age band."""
    wanted = bundle.ranking(purpose).get("segment_list")
    return Kind(wanted) if wanted in set(Kind) else None


def group_of(subject_ref: UUID, purpose: str, model: str | None, bundle: LoadedBundle) -> str | None:
    """Return the key of the person's group in a version, of the kind that the purpose's rule of ranking names.

    None without such a rule, for people in no group, and where the database does not answer: then region and age band
    decide.
    """
    wanted = kind_for(purpose, bundle)
    if model is None or wanted is None:
        return None
    try:
        version = _version(model, bundle.data["models"][model]["artifact_sha256"])
        if version is None:
            return None
        result = _GROUP.execute((subject_ref.bytes, version.to_bytes(8, "big"), wanted.value.encode()))
    except (psycopg.Error, DatabaseError):
        return None
    return (result.get_value(0, 0) or b"").decode() or None if result.ntuples else None


@lru_cache(maxsize=8)
def _version(model: str, _digest: str) -> int | None:
    """Return the key of a version in the registry; the digest keeps two databases' versions of one name distinct."""
    slug, _, number = model.rpartition("@")
    rows = ModelVersion.objects.filter(model__slug=slug, version=int(number))
    return rows.values_list("pk", flat=True).first()
