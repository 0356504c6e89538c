"""Keep the files of a training, and let people leave them."""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

from django.conf import settings
from django.db.models import F, Q, QuerySet
from django.utils import timezone

from audit import trail
from consent.models import ConsentRecord, DataSubject
from model_registry.models import ModelFile, ModelVersion
from personalization.models import SnapshotPerson
from personalization.recommender.groups import forming as grouping
from personalization.recommender.interactions import Person
from personalization.snapshots import files, rewriting
from privacy.retention import turns

NAME = "model_training"  # of the data set and of the store: deletions, holds and erasures take turns by it
_AT_ONCE = 10_000
_LATE = timedelta(days=1)  # longer than any training takes to register its files
_WITHDRAWN = (ConsentRecord.State.WITHDRAWN, ConsentRecord.State.OBJECTED)
Kind = ModelFile.Kind

Groups = Mapping[grouping.Kind, Mapping[Person, str]]
_NONE: Groups = {}


_NAMES = {Kind.DATA: files.DATA, Kind.EVALUATION: files.EVALUATION, Kind.FEATURES: files.FEATURES}


def write(name: str, contents: Mapping[Kind, bytes], people: int) -> list[ModelFile]:
    """Write the files of a training, and return their rows, which are kept with the version."""
    made = []
    for kind, content in contents.items():
        path = f"{files.FOLDER}/{name}/{_NAMES[kind]}"
        files.write(path, content)
        made.append(ModelFile(kind=kind, path=path, sha256=files.digest(content), persons=people))
    return made


def discard(written: Iterable[ModelFile]) -> None:
    """Remove the files of a training that was not registered."""
    for file in written:
        files.remove(file.path)


def note(
    version: ModelVersion, people: Iterable[UUID], *, purpose: str, since: datetime, actor: str, groups: Groups = _NONE
) -> None:
    """Note who is in the files of a version; who withdrew or was erased while it was trained leaves them at once.

    ``groups``: the group of each person, by kind. In the transaction of the registration.
    """
    turns.take(NAME)
    readable, taste = (groups.get(kind, {}) for kind in (grouping.Kind.READABLE, grouping.Kind.TASTE))
    rows = (
        SnapshotPerson(
            version=version, subject_ref=ref, purpose=purpose,
            readable=readable.get(ref.bytes, ""), taste=taste.get(ref.bytes, ""),
        )
        for ref in people
    )  # fmt: skip
    SnapshotPerson.objects.bulk_create(rows, batch_size=_AT_ONCE)
    ended = ConsentRecord.objects.filter(purpose__slug=purpose, state__in=_WITHDRAWN, recorded_at__gte=since)
    gone = {*ended.values_list("subject_id", flat=True), *erased(since).values_list("ref", flat=True)}
    rows_of_gone = SnapshotPerson.objects.filter(version=version, subject_ref__in=gone)
    left = set(rows_of_gone.values_list("subject_ref", flat=True))
    rows_of_gone.delete()
    leave(version.pk, left, actor=actor)


def erased(since: datetime) -> QuerySet[DataSubject]:
    """Select the people who were erased since a moment, or are; an erasure ends no purpose that needs no consent."""
    return DataSubject.objects.filter(Q(erased_at__gte=since) | Q(erased_revision=F("revision")))


def leave(version_id: int, people: Collection[UUID], *, actor: str) -> None:
    """Write the files of a version anew without some people; without anyone left they are removed.

    In the transaction that deletes their rows. The bytes are gone before it commits: one that is rolled back is
    repeated, and finds by the file's note what it did.
    """
    if not people:
        return
    gone = {ref.bytes for ref in people}
    is_last = not SnapshotPerson.objects.filter(version_id=version_id).exclude(subject_ref__in=people).exists()
    of_version = ModelFile.objects.select_for_update().filter(version_id=version_id, gone_at=None)
    for file in of_version.filter(kind__in=_NAMES).order_by("kind"):
        if is_last:
            end(file, actor=actor)
        else:
            _leave(file, gone)


def _leave(file: ModelFile, gone: Collection[bytes]) -> None:
    content = read(file)
    if content is None:
        file.persons_left += len(gone)
    else:
        _write_anew(file, content, gone)
    file.save(update_fields=["current_sha256", "persons_left"])


def _write_anew(file: ModelFile, content: bytes, gone: Collection[bytes]) -> None:
    found = files.digest(content)
    # People who left it in a transaction that was rolled back: the register does not count them yet.
    earlier = _uncounted(file, found)
    kept, left = files.without(content, gone)
    # A file that was changed before stays another than the register says.
    is_known = found == file.current_sha256 or earlier > 0
    after = files.digest(kept)
    if left and is_known:
        rewriting.note(file.path, before=file.current_sha256, after=after, people=earlier + left)
    if left:
        files.write(file.path, kept)
    if is_known:
        file.current_sha256 = after
    file.persons_left += earlier + left


def _uncounted(file: ModelFile, found: str) -> int:
    if found == file.current_sha256:
        return 0
    return rewriting.people_gone(file.path, before=file.current_sha256, after=found)


def end(file: ModelFile, *, actor: str) -> None:
    """Delete a file whose retention is over. Its digest stays in the register."""
    files.remove(file.path)
    file.gone_at = timezone.now()
    file.save(update_fields=["gone_at"])
    details = {"kind": file.kind, "sha256": file.sha256}
    trail.record("model.file_deleted", str(file.version), actor=actor, details=details)


def sweep() -> int:
    """Remove files that no version names: of a training that was killed while it was registered. Return how many."""
    named = set(ModelFile.objects.exclude(kind=Kind.ARTIFACT).values_list("path", flat=True))
    root, before = Path(settings.MODEL_DIR), (timezone.now() - _LATE).timestamp()
    lost = [
        path
        for path in (root / files.FOLDER).glob("*/*")
        if str(path.relative_to(root)).removesuffix(files.NOTE) not in named and path.stat().st_mtime < before
    ]
    for path in lost:
        files.remove(str(path.relative_to(root)))
    return len(lost)


def read(file: ModelFile) -> bytes | None:
    """Return the bytes of a file; None where there are none."""
    return read_path(file.path)


def read_path(path: str) -> bytes | None:
    """Return the bytes of a file by its path; None where there are none."""
    try:
        return files.place(path).read_bytes()
    except (OSError, files.Unreadable):
        return None
