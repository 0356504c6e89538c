"""Snapshots as a store of personal data: an answer holds what they say of a person, and an erasure takes them out."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from django.utils.translation import gettext_noop as _

from model_registry.models import ModelFile
from personalization.models import SnapshotPerson
from personalization.snapshots import files, keeping
from personalization.snapshots.files import Unreadable
from privacy.rights.stores.seam import Description, Erasure, Removed, Row
from privacy.rights.stores.tables import digest_of_keys, members


@dataclass(frozen=True)
class SnapshotStore:
    """Store of files: found by the rows of who is in them, verified by the files themselves."""

    description: Description

    def locate(self, ref: UUID) -> bool:
        return SnapshotPerson.objects.filter(subject_ref=ref).exists()

    def export(self, ref: UUID) -> Iterable[Row]:
        return [row for file, content in _of_person(ref) for row in _rows(file, content, ref)]

    def count(self, ref: UUID) -> int:
        return sum(files.count_of(content, ref.bytes) for _file, content in _of_person(ref))

    def erase(self, ref: UUID, erasure: Erasure) -> Removed:
        rows = SnapshotPerson.objects.select_for_update().filter(subject_ref=ref).order_by("pk")
        found = list(rows.values_list("pk", "version_id"))
        for _key, version in found:
            keeping.leave(version, {ref}, actor=erasure.actor)
        SnapshotPerson.objects.filter(pk__in=[key for key, _ in found]).delete()
        return Removed(len(found), digest_of_keys(key for key, _ in found))

    def anonymise(self, ref: UUID, erasure: Erasure) -> Removed:
        raise NotImplementedError("Snapshots are erased.")

    def verify(self, ref: UUID) -> int:
        """Return how many rows of tables and files still name a person, whoever the tables say is in a file."""
        left = SnapshotPerson.objects.filter(subject_ref=ref).count()
        return left + sum(_count(file, ref) for file in _kept())


def _kept() -> Iterator[ModelFile]:
    return ModelFile.objects.exclude(kind=ModelFile.Kind.ARTIFACT).filter(gone_at=None).iterator()


def _count(file: ModelFile, ref: UUID) -> int:
    content = keeping.read(file)
    if content is None:
        return 0
    try:
        return files.count_of(content, ref.bytes)
    except Unreadable:
        # A file that was exchanged for something else is found by its digest, and names nobody in a column.
        return 0


def _of_person(ref: UUID) -> Iterator[tuple[ModelFile, bytes]]:
    """Yield the data of each version whose files the person is in."""
    versions = SnapshotPerson.objects.filter(subject_ref=ref).values("version_id")
    of_person = ModelFile.objects.filter(kind=ModelFile.Kind.DATA, version_id__in=versions, gone_at=None)
    for file in of_person.select_related("version__model").order_by("version_id"):
        content = keeping.read(file)
        if content is not None:
            yield file, content


def _rows(file: ModelFile, content: bytes, ref: UUID) -> Iterator[Row]:
    touches = files.read_data(content).interactions
    for number, person in enumerate(touches.person):
        if person == ref.bytes:
            yield {
                "model": file.version.model.slug,
                "version": file.version.version,
                "item": touches.item[number],
                "weight": float(touches.weight[number]),
                "occurred_at": datetime.fromtimestamp(float(touches.time[number]), tz=UTC),
            }


SNAPSHOT_STORE = SnapshotStore(
    Description(
        name=keeping.NAME,
        title=_("Data that models were trained on"),
        members=members(
            ("model", "string", _("model")),
            ("version", "integer", _("version")),
            ("item", "string", _("item")),
            ("weight", "number", _("weight")),
            ("occurred_at", "date-time", _("when")),
        ),
        origin=_("made when a model was trained on what you did, with your permission"),
        kept=_("until you turn the purpose off, or until the version is out of use and its retention period is over"),
        is_provided=False,
        tables=("personalization_snapshotperson",),
    )
)
