"""Files of a version held against their signature: which are whole, and so can bear figures out."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from django.conf import settings

from audit.jws import NotGenuine
from common.http.problems import Problem
from model_registry.files import signature
from model_registry.files.signature import Statement
from model_registry.models import ModelFile, ModelVersion
from personalization.features import snapshot
from personalization.recommender import storage
from personalization.recommender.model import Model
from personalization.snapshots import files, keeping, rewriting
from personalization.snapshots.files import Data, Listed, Unreadable
from personalization.verification.lines import Line, State

Kind = ModelFile.Kind
_STILL_THERE = "The register says that it was deleted, and it is still there."


@dataclass
class Checked:
    """Lines about the files, what was signed, and the contents of those that are whole."""

    said: Statement | None = None
    lines: list[Line] = field(default_factory=list)
    model: Model | None = None
    data: Data | None = None
    listed: Listed | None = None
    are_figures_signed: bool = False


def check(version: ModelVersion) -> Checked:
    """Hold the files of a version against what was signed when it was registered."""
    found = Checked()
    try:
        found.said = signature.require(
            version.signature,
            model=version.model.slug,
            version=version.version,
            artifact_sha256=version.artifact_sha256,
        )
        found.lines.append(Line("signature", State.VERIFIED))
    except NotGenuine as exc:
        state = State.DIFFERS if version.signature else State.MISSING
        found.lines.append(Line("signature", state, str(exc)))
    rows = {row.kind: row for row in version.files.all()}
    found.lines.append(_figures(version, found))
    found.lines.append(_artifact(version, rows.get(Kind.ARTIFACT), found))
    for kind in (Kind.DATA, Kind.EVALUATION):
        found.lines.append(_snapshot(kind, rows.get(kind), found))
    if Kind.FEATURES in rows:  # versions of earlier releases have none
        found.lines.append(_snapshot(Kind.FEATURES, rows[Kind.FEATURES], found))
    return found


def _figures(version: ModelVersion, found: Checked) -> Line:
    """Hold the registered figures against the digest that was signed of them."""
    what, said = "registered figures", found.said
    if said is None or not said.metrics_sha256:
        return Line(what, State.MISSING, "No signature says what was registered.")
    if signature.digest_of_metrics(version.metrics) != said.metrics_sha256:
        return Line(what, State.DIFFERS, "They are not those that were signed.")
    found.are_figures_signed = True
    return Line(what, State.VERIFIED)


def _artifact(version: ModelVersion, row: ModelFile | None, found: Checked) -> Line:
    what, digest, folder = "artifact", version.artifact_sha256, Path(settings.MODEL_DIR)
    if not version.artifact:
        return Line(what, State.MISSING, "The version has no artifact here.")
    if row is not None and row.gone_at is not None:
        if (folder / version.artifact).exists():
            return Line(what, State.DIFFERS, _STILL_THERE)
        return Line(what, State.DIGEST_ONLY, f"Deleted on {row.gone_at:%Y-%m-%d}, as its record period says.")
    if found.said is None or found.said.artifact_sha256 != digest:
        return Line(what, State.DIFFERS, "No signature is about this digest.")
    try:
        found.model = storage.load(Path(version.artifact), folder=folder, digest=digest)
    except storage.ModelNotStored:
        return Line(what, State.MISSING, "There is no such folder.")
    except (Problem, OSError) as exc:
        return Line(what, State.DIFFERS, exc.detail if isinstance(exc, Problem) else "It cannot be read.")
    return Line(what, State.VERIFIED)


def _snapshot(kind: Kind, row: ModelFile | None, found: Checked) -> Line:
    what = kind.label.lower()
    if row is None:
        return Line(what, State.MISSING, "The version has none.")
    if found.said is None or found.said.files.get(kind) != row.sha256:
        return Line(what, State.DIFFERS, "No signature is about this digest.")
    content = keeping.read(row)
    if row.gone_at is not None:
        if content is not None:
            return Line(what, State.DIFFERS, _STILL_THERE)
        return Line(what, State.DIGEST_ONLY, f"Deleted on {row.gone_at:%Y-%m-%d}, as its retention says.")
    if content is None:
        return Line(what, State.MISSING, "There is no such file.")
    digest = files.digest(content)
    if digest != (row.sha256 if row.is_whole else row.current_sha256):
        return _other(what, row, digest)
    if not row.is_whole:
        return Line(what, State.DIGEST_ONLY, f"{row.persons_left} of {row.persons} people left it.")
    try:
        _keep(kind, content, found)
    except Unreadable as exc:
        return Line(what, State.DIFFERS, f"It {exc}.")
    return Line(what, State.VERIFIED)


def _other(what: str, row: ModelFile, digest: str) -> Line:
    """Return the line of a file that has not the digest of the register."""
    if people := rewriting.people_gone(row.path, before=row.current_sha256, after=digest):
        return Line(what, State.DIGEST_ONLY, f"{people} people left it; their deletion is still to be repeated.")
    return Line(what, State.DIFFERS, "Its bytes are not those of its digest.")


def _keep(kind: Kind, content: bytes, found: Checked) -> None:
    if kind == Kind.DATA:
        found.data = files.read_data(content)
    elif kind == Kind.FEATURES:
        snapshot.read(content)
    else:
        found.listed = files.read_evaluation(content)


def reasons(found: Checked) -> Iterator[str]:
    """Yield what keeps figures from being recomputed."""
    for line in found.lines:
        if line.what in ("artifact", "data snapshot", "evaluation") and line.state is not State.VERIFIED:
            yield f"{line.what}: {line.state}"
