"""Snapshots as a data set of retention: who is in them, a row a person and version.

A withdrawal deletes a person's rows everywhere. A schedule deletes those of versions that nothing leads back to; what a
version needs that serves, waits for a verdict or can be gone back to stays.
"""

from collections import defaultdict
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import connection

from common import actors
from personalization.snapshots import keeping
from privacy.retention.data_sets.extents import Extent
from privacy.retention.schedules import Action, Trigger, Way
from privacy.retention.tables import Batch, Deleted, Table


@dataclass(frozen=True, kw_only=True)
class Snapshots(Table):
    """Rows of people in files: with the rows, the people leave the files."""

    def delete_batch(self, extent: Extent, batch: Batch, *, keep: bool) -> Deleted:
        leaving = self._leaving(extent, batch)
        deleted = super().delete_batch(extent, batch, keep=False)
        for version, people in leaving.items():
            keeping.leave(version, people, actor=actors.job("disposal"))
        return deleted

    def _leaving(self, extent: Extent, batch: Batch) -> dict[int, set[UUID]]:
        """Return by version who is in a range, under a lock until the transaction ends."""
        where, values = self._range(extent, batch.start, batch.end)
        found: dict[int, set[UUID]] = defaultdict(set)
        with connection.cursor() as cursor:
            cursor.execute(
                f"SELECT version_id, {self.person} FROM {self.table} WHERE {where} AND NOT {self.is_kept(extent)}"  # noqa: S608
                " FOR UPDATE",
                values,
            )
            for version, ref in cursor.fetchall():
                found[version].add(ref)
        return found


_PLACE: dict[str, Any] = {
    "name": keeping.NAME,
    "table": "personalization_snapshotperson",
    "age": "made_at",
    "key_type": "bigint",
    "key_digest": "substring(sha256(int8send(id)) FOR 16)",
    "can_undo": False,
}
SNAPSHOTS = Snapshots(**_PLACE)
UNREFERENCED = Snapshots(
    **_PLACE,
    only="version_id IN (SELECT id FROM model_registry_modelversion WHERE status IN ('draft', 'retired'))",
)
WAYS: dict[Way, Table] = {(Trigger.RECEIVED, Action.DELETE): UNREFERENCED}
REFUSALS: dict[str, str] = {
    Action.ANONYMISE: "A figure can be recomputed from what each person did, and from nothing coarser.",
    Action.AGGREGATE: "A figure can be recomputed from what each person did, and from nothing coarser.",
    Action.KEEP: "No law asks for copies of data that a model was trained on.",
    Trigger.ACTIVITY: "A snapshot is of one moment. Count from when it was made.",
    Trigger.CONTRACT: "A snapshot is of one moment. Count from when it was made.",
    Trigger.WITHDRAWAL: "People leave snapshots at once when the purpose is withdrawn.",
    Trigger.WINDOW: "A snapshot is kept or deleted as a whole.",
}
