"""Training sets as a store of personal data: which versions learnt from a person, and what their files say of them.

Erasing someone lists the models, takes the person out of the files and makes a retraining due.
"""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from uuid import UUID

from django.db.models import OuterRef, Subquery
from django.utils.translation import gettext_noop as _

from model_registry.models import ModelFile
from personalization.features import snapshot
from personalization.models import SnapshotPerson, TrainingMember
from personalization.snapshots import files, keeping
from personalization.snapshots.files import Unreadable
from personalization.training_sets import retraining
from privacy.rights.stores.seam import Description, Erasure, Removed, Row
from privacy.rights.stores.tables import TableStore, members

_TOUCHES = "touches"
_GROUPS = ("readable", "taste")


class TrainingStore(TableStore):
    """Store of training sets: found by rows of who is in them, verified by the files themselves."""

    def export(self, ref: UUID) -> Iterable[Row]:
        names = [member.name for member in self.description.members if member.name != _TOUCHES]
        data = ModelFile.objects.filter(kind=ModelFile.Kind.DATA, version=OuterRef("version"), gone_at=None)
        features = ModelFile.objects.filter(kind=ModelFile.Kind.FEATURES, version=OuterRef("version"), gone_at=None)
        inside = SnapshotPerson.objects.filter(version=OuterRef("version"), subject_ref=ref)
        groups = {kind: Subquery(inside.values(kind)[:1]) for kind in _GROUPS}
        paths = {"path": Subquery(data.values("path")[:1]), "features": Subquery(features.values("path")[:1])}
        return [
            {
                **{name: row[name] for name in names},
                _TOUCHES: [*_touches(row["path"], ref), *_features(row["features"], ref)],
            }
            for row in self.query(ref).annotate(**paths, **groups).values(*names, *paths)
        ]

    def erase(self, ref: UUID, erasure: Erasure) -> Removed:
        versions = [member.version for member in self.query(ref).select_related("version__model")]
        self._leave_files(ref, erasure)
        removed = super().erase(ref, erasure)
        retraining.make_due(versions, actor=erasure.actor)
        return Removed(removed.rows, removed.keys_sha256, {"models": [str(version) for version in versions]})

    def _leave_files(self, ref: UUID, erasure: Erasure) -> None:
        inside = SnapshotPerson.objects.select_for_update().filter(subject_ref=ref).order_by("pk")
        for version in list(inside.values_list("version_id", flat=True)):
            keeping.leave(version, {ref}, actor=erasure.actor)
        inside.delete()

    def left_elsewhere(self, ref: UUID) -> int:
        """Return how many rows of files name a person still, apart from what the tables say."""
        kept = ModelFile.objects.exclude(kind=ModelFile.Kind.ARTIFACT).filter(gone_at=None)
        return SnapshotPerson.objects.filter(subject_ref=ref).count() + sum(_count(file, ref) for file in kept)


def _touches(path: str | None, ref: UUID) -> Iterator[str]:
    """Yield what the data of a version says of a person: when, which item, how strongly, or how it was rated."""
    content = keeping.read_path(path) if path else None
    if content is None:
        return
    data = files.read_data(content)
    for rows, said in ((data.interactions, ""), (data.ratings, "rated ")):
        for number, person in enumerate(rows.person):
            if person == ref.bytes:
                moment = datetime.fromtimestamp(float(rows.time[number]), tz=UTC)
                yield f"{moment.isoformat()} {rows.item[number]} {said}{float(rows.weight[number]):g}"


def _features(path: str | None, ref: UUID) -> list[str]:
    """Return the features that the files of a version hold of a person."""
    content = keeping.read_path(path) if path else None
    return snapshot.of_person(content, ref.bytes) if content is not None else []


def _count(file: ModelFile, ref: UUID) -> int:
    content = keeping.read_path(file.path)
    try:
        return 0 if content is None else files.count_of(content, ref.bytes)
    except Unreadable:
        # A file that was exchanged for something else is found by its digest, and names no person in a column.
        return 0


TRAINING = TrainingStore(
    Description(
        name=keeping.NAME,
        title=_("Models that learnt from your data"),
        members=members(
            ("version__model__slug", "string", _("model")),
            ("version__version", "integer", _("version")),
            ("version__created_at", "date-time", _("trained")),
            ("readable", "string", _("your group by what you choose most and how much")),
            ("taste", "string", _("your group by taste")),
            (_TOUCHES, "array", _("what is kept of you, to recompute the model's figures")),
        ),
        origin=_("made when a model was trained on what you did, with your permission"),
        kept=_("until the version is retired; what its figures are recomputed from, until you turn the purpose off"),
        is_provided=False,
        tables=("personalization_trainingmember", "personalization_snapshotperson"),
    ),
    lambda ref: TrainingMember.objects.filter(subject_ref=ref).order_by("version_id"),
)
