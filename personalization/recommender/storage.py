"""Stored models: immutable, versioned folders of plain arrays and JSON, every byte of them under a checksum.

``NAME-VERSION/`` holds ``arrays.npz``, ``items.json``, ``segments.json`` and ``manifest.json``. Nothing in it
is executable: arrays are read without pickle. Checksums find damage; against exchange of the whole folder
compare the manifest's digest with the one that was approved.

Version 3 of the schema holds the parts of a recipe with factors of any rank. Folders of version 2, whose factors are
single vectors, and of version 1, with one sparse matrix of positive weights, are still read.
"""

import hashlib
import io
import json
import os
import re
import shutil
import uuid
import zipfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from pathlib import Path
from typing import Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError, model_validator

from common.http.problems import Conflict, InvalidRequest, NotFound, Problem
from personalization.recommender.interactions import Item
from personalization.recommender.model import Model, Parameters, Popularity, TrainedOn
from personalization.recommender.parts import Part
from personalization.recommender.recipe import Kind, Spec, of_one_part

MANIFEST = "manifest.json"
_ARRAYS, _ITEMS, _SEGMENTS = "arrays.npz", "items.json", "segments.json"
_FILES = (_ARRAYS, _ITEMS, _SEGMENTS)
_FORMER_MIN_LIKES = 5
_PART = ("neighbours", "weights", "out", "into")
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")
# No hyphen: NAME-VERSION has to split in one way only.
_VERSION = re.compile(r"[0-9A-Za-z][0-9A-Za-z._+]{0,63}")


class VersionExists(Conflict):
    """Refusal to overwrite: a stored version never changes; save under a new one."""

    code = "model_version_exists"
    title = "This model version exists"

    def __init__(self, name: str) -> None:
        super().__init__(f"{name} is stored already.")


class ModelNotStored(NotFound):
    """Absence of a model at this path."""

    code = "model_not_stored"
    title = "There is no such stored model"

    def __init__(self, name: str) -> None:
        super().__init__(f"{name} is not stored.")


class ModelCorrupted(Problem):
    """Rejection of a stored model that is not what was saved; the detail names the file."""

    status = HTTPStatus.INTERNAL_SERVER_ERROR
    code = "model_corrupted"
    title = "The stored model is damaged"

    def __init__(self, file: str, what: str) -> None:
        super().__init__(f"{file} {what}.", file=file)


class PathRefused(InvalidRequest):
    """Refusal of a name, version or path that would lead outside the folder of models."""

    code = "model_path_refused"
    title = "The model's path is refused"


@dataclass(frozen=True, slots=True)
class FormerParameters:
    """Parameters of the training in version 1 of the schema."""

    method: Literal["ease", "tfidf_cosine"]
    min_segment: int
    min_people: int
    neighbours: int
    regularisation: float
    damping: float

    def current(self) -> Parameters:
        """Return the same parameters as a recipe of one part."""
        recipe = of_one_part(Spec(Kind(self.method), None, self.regularisation), min_likes=_FORMER_MIN_LIKES)
        return Parameters(self.min_segment, self.min_people, self.neighbours, self.damping, recipe)


class Manifest(BaseModel):
    """Manifest of a stored model. ``digest`` is the SHA-256 (hex) over the rest, checksums included."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    schema_version: Literal[1, 2, 3]
    name: str
    version: str
    created: datetime
    trained_on: TrainedOn
    parameters: Parameters | FormerParameters
    files: dict[str, str]
    digest: str

    @model_validator(mode="after")
    def _fits_its_version(self) -> "Manifest":
        given = self.parameters
        if isinstance(given, FormerParameters) != (self.schema_version == 1):
            raise ValueError("The parameters are not those of the schema's version.")
        if self.schema_version == 2 and _is_of_version_3(given):
            raise ValueError("Version 2 of the schema knows no rank and no content.")
        return self


def _is_of_version_3(parameters: Parameters | FormerParameters) -> bool:
    if isinstance(parameters, FormerParameters):
        return False
    return bool(parameters.recipe.content) or any(part.rank > 1 for part in parameters.recipe.parts)


def save(model: Model, folder: Path, name: str, version: str, *, created: datetime | None = None) -> Manifest:
    """Write ``model`` as ``folder/NAME-VERSION`` in one step and return its manifest.

    ``created`` (timezone-aware, default now) is the only thing two stored copies of a model may differ in. A crash
    leaves the version whole or absent, at worst with a hidden unfinished folder left over.

    Raises VersionExists, and PathRefused for a name that is not lower-case letters, digits and ``-``, or a
    version that is not letters, digits, ``.``, ``_`` and ``+``.
    """
    target = folder / _folder_name(name, version)
    if target.exists():
        raise VersionExists(target.name)
    contents = {_ARRAYS: _arrays(model), _ITEMS: _items(model), _SEGMENTS: _segments(model)}
    manifest = _manifest(model, name, version, created or datetime.now(UTC), contents)
    _write_at_once(target, {**contents, MANIFEST: _json(manifest.model_dump(mode="json"))})
    return manifest


def load(path: Path, *, folder: Path, digest: str | None = None) -> Model:
    """Read the model stored at ``path`` (absolute, or relative to ``folder``) after checking every byte.

    With ``digest`` the manifest must also be the one that was approved under it.

    Raises PathRefused outside ``folder``, ModelNotStored, and ModelCorrupted naming the damaged file.
    """
    place = _inside(path, folder)
    manifest = _checked_manifest(place)
    if digest is not None and manifest.digest != digest:
        raise ModelCorrupted(MANIFEST, "is not the one that was approved")
    return _model(manifest, _checked_contents(place, manifest))


def read_manifest(path: Path, *, folder: Path) -> Manifest:
    """Read only the manifest, checked against its own digest; raises like ``load``."""
    return _checked_manifest(_inside(path, folder))


def _folder_name(name: str, version: str) -> str:
    if not _NAME.fullmatch(name):
        raise PathRefused("A model's name has 1 to 64 lower-case letters, digits and hyphens.")
    if not _VERSION.fullmatch(version):
        raise PathRefused("A model's version has 1 to 64 letters, digits, dots, underscores and plus signs.")
    return f"{name}-{version}"


def _inside(path: Path, folder: Path) -> Path:
    """Resolve links before comparing, so that a link inside the folder cannot lead out of it."""
    root = folder.resolve()
    place = (root / path).resolve()
    if place.parent != root:
        raise PathRefused("A model is loaded from directly inside the folder of models only.")
    if not place.is_dir():
        raise ModelNotStored(place.name)
    return place


def _arrays(model: Model) -> bytes:
    groups = [group.scores for group in model.segments.values()]
    parts = {f"part_{number}_{name}": getattr(part, name) for number, part in enumerate(model.parts) for name in _PART}
    buffer = io.BytesIO()
    np.savez(
        buffer,
        popularity=model.popularity.scores,
        segments=np.vstack(groups) if groups else np.zeros((0, len(model.items))),
        scales=np.array([part.scale for part in model.parts], dtype=np.float64),
        **parts,
    )
    return buffer.getvalue()


def _items(model: Model) -> bytes:
    return _json([asdict(item) for item in model.items])


def _segments(model: Model) -> bytes:
    people = {key: group.people for key, group in model.segments.items()}
    return _json({"people": model.popularity.people, "segments": people})


def _json(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, indent=1).encode() + b"\n"


def _manifest(model: Model, name: str, version: str, created: datetime, contents: Mapping[str, bytes]) -> Manifest:
    draft = Manifest(
        schema_version=3,
        name=name,
        version=version,
        created=created,
        trained_on=model.trained_on,
        parameters=model.parameters,
        files={file: hashlib.sha256(content).hexdigest() for file, content in contents.items()},
        digest="",
    )
    return draft.model_copy(update={"digest": _digest(draft)})


def _digest(manifest: Manifest) -> str:
    # Not the platform's canonical JSON, which refuses floats: parameters hold some, and Python's text of a
    # float reads back as the same float.
    document = manifest.model_dump(mode="json", exclude={"digest"})
    if manifest.schema_version == 2:
        # Both came with version 3.
        del document["parameters"]["recipe"]["content"]
        for part in document["parameters"]["recipe"]["parts"]:
            del part["rank"]
    return hashlib.sha256(json.dumps(document, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def _write_at_once(target: Path, contents: Mapping[str, bytes]) -> None:
    """Write the files aside, on disk, then rename their folder: no reader ever sees a part of them."""
    target.parent.mkdir(parents=True, exist_ok=True)
    unfinished = target.with_name(f".{target.name}.{uuid.uuid4().hex}")
    unfinished.mkdir()
    try:
        for file, content in contents.items():
            _write_durably(unfinished / file, content)
        _flush_folder(unfinished)
        _rename(unfinished, target)
    except BaseException:
        shutil.rmtree(unfinished, ignore_errors=True)
        raise
    _flush_folder(target.parent)


def _write_durably(path: Path, content: bytes) -> None:
    with path.open("xb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _flush_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _rename(unfinished: Path, target: Path) -> None:
    try:
        unfinished.rename(target)
    except OSError as exc:
        if target.exists():  # another process has saved the same version
            raise VersionExists(target.name) from exc
        raise


def _checked_manifest(place: Path) -> Manifest:
    try:
        manifest = Manifest.model_validate_json(_bytes(place, MANIFEST))
    except ValidationError as exc:
        raise ModelCorrupted(MANIFEST, "is not a manifest") from exc
    named = f"{manifest.name}-{manifest.version}"
    if manifest.digest != _digest(manifest) or set(manifest.files) != set(_FILES) or named != place.name:
        raise ModelCorrupted(MANIFEST, "does not agree with its digest or its folder")
    return manifest


def _checked_contents(place: Path, manifest: Manifest) -> dict[str, bytes]:
    for path in sorted(place.iterdir()):
        if path.name not in {*_FILES, MANIFEST}:
            raise ModelCorrupted(path.name, "does not belong to the model")
    contents = {file: _bytes(place, file) for file in _FILES}
    for file, content in contents.items():
        if hashlib.sha256(content).hexdigest() != manifest.files[file]:
            raise ModelCorrupted(file, "does not match its checksum")
    return contents


def _bytes(place: Path, file: str) -> bytes:
    path = place / file
    if path.is_symlink():
        raise ModelCorrupted(file, "is a link")
    try:
        return path.read_bytes()
    except OSError as exc:
        raise ModelCorrupted(file, "cannot be read") from exc


def _model(manifest: Manifest, contents: Mapping[str, bytes]) -> Model:
    """Build the model from checked bytes: the ones that were hashed, not a second reading of the files."""
    try:
        items = TypeAdapter(tuple[Item, ...]).validate_json(contents[_ITEMS])
        groups = json.loads(contents[_SEGMENTS])
        with np.load(io.BytesIO(contents[_ARRAYS]), allow_pickle=False) as arrays:
            return Model(
                items=items,
                popularity=Popularity(int(groups["people"]), arrays["popularity"]),
                segments=_stored_segments(groups["segments"], arrays["segments"]),
                parts=_stored_parts(manifest, arrays, len(items)),
                trained_on=manifest.trained_on,
                parameters=_current(manifest),
            )
    except (ValueError, KeyError, TypeError, zipfile.BadZipFile) as exc:
        raise ModelCorrupted(MANIFEST, "lists files that do not make a model") from exc


def _stored_segments(people: Mapping[str, int], scores: Any) -> dict[str, Popularity]:
    return {key: Popularity(int(size), row) for (key, size), row in zip(people.items(), scores, strict=True)}


def _current(manifest: Manifest) -> Parameters:
    given = manifest.parameters
    return given.current() if isinstance(given, FormerParameters) else given


def _stored_parts(manifest: Manifest, arrays: Any, size: int) -> tuple[Part, ...]:
    specs = _current(manifest).recipe.parts
    if manifest.schema_version == 1:
        return (_former_part(specs[0], arrays, size),)
    scales = arrays["scales"]
    return tuple(
        Part(spec, float(scale), *_factored(*(_typed(arrays[f"part_{number}_{name}"], name) for name in _PART)))
        for number, (spec, scale) in enumerate(zip(specs, scales, strict=True))
    )


def _typed(values: Any, name: str) -> Any:
    expected = np.int32 if name == "neighbours" else np.float32
    if values.dtype != expected:
        raise ValueError(f"{name} is not an array of {np.dtype(expected).name}.")
    return values


def _factored(neighbours: Any, weights: Any, out: Any, into: Any) -> tuple[Any, Any, Any, Any]:
    """Return the arrays of a part; in version 2 the factors are vectors."""
    return neighbours, weights, (out[:, np.newaxis] if out.ndim == 1 else out), np.atleast_2d(into)


def _former_part(spec: Spec, arrays: Any, size: int) -> Part:
    """Pad the rows of a sparse matrix (CSR) of version 1."""
    weights, columns, ends = (arrays[name] for name in ("item_weights", "item_weights_columns", "item_weights_rows"))
    lengths = np.diff(ends)
    if len(ends) != size + 1 or ends[0] != 0 or ends[-1] != len(weights) or (lengths < 0).any():
        raise ValueError("The rows of the weights do not fit the items.")
    rows = np.repeat(np.arange(size), lengths)
    places = np.arange(len(weights)) - np.repeat(ends[:-1], lengths)
    width = int(lengths.max(initial=0))
    neighbours, padded = np.zeros((size, width), dtype=np.int32), np.zeros((size, width), dtype=np.float32)
    neighbours[rows, places], padded[rows, places] = columns, weights
    out, into = np.zeros((size, 1), dtype=np.float32), np.zeros((1, size), dtype=np.float32)
    return Part(spec, 1.0, neighbours, padded, out, into)
