"""Files of generalisation hierarchies that releases name by their digest: checked when they are taken in, kept once."""

import hashlib
from collections.abc import Mapping
from pathlib import Path

from privacy.anonymisation.errors import AnonymisationError
from privacy.anonymisation.files.inspection import sha256_of
from privacy.anonymisation.files.replacing import replacing
from privacy.anonymisation.generalisation import Hierarchy
from privacy.models import UploadedTable
from privacy.releases.problems import AskedWrongly
from privacy.releases.uploads import folder

MOST_BYTES = 4 * 1024**2


def take(contents: Mapping[str, bytes]) -> dict[str, str]:
    """Keep the files of columns; return the digest of each. Raises AskedWrongly for what is no hierarchy."""
    return {column: _taken(column, content) for column, content in contents.items()}


def take_folder(path: Path | None, table: UploadedTable) -> dict[str, str]:
    """Do the same with a folder of ``COLUMN.csv`` files, each of which belongs to a column of the table."""
    if path is None:
        return {}
    names = {f"{column['name']}.csv": column["name"] for column in table.columns}
    files = [file for file in sorted(path.iterdir()) if not file.name.startswith(".")]
    if strange := [file.name for file in files if file.name not in names]:
        raise AskedWrongly(f"“{strange[0]}” in {path.name} fits no column. Name each file COLUMN.csv.")
    return take({names[file.name]: file.read_bytes() for file in files})


def _taken(column: str, content: bytes) -> str:
    if len(content) > MOST_BYTES:
        said = f"The hierarchy of “{column}” may have {MOST_BYTES // 1024**2} MB at most."
        raise AskedWrongly(said, field=f"column {column}")
    digest = hashlib.sha256(content).hexdigest()
    place = folder("hierarchies") / f"{digest}.csv"
    try:
        with replacing(place) as held:
            held.write_bytes(content)
            held.chmod(0o600)
            Hierarchy.read(held)
    except AnonymisationError as refused:
        said = str(refused).removeprefix(held.name).lstrip(",: ")
        raise AskedWrongly(f"The hierarchy of “{column}”: {said}", field=f"column {column}") from None
    return digest


def files(digests: Mapping[str, str]) -> dict[str, Path]:
    """Return the file of each column. Raises AnonymisationError for one that is gone or was changed."""
    found = {column: folder("hierarchies") / f"{digest}.csv" for column, digest in digests.items()}
    for column, path in found.items():
        if not path.exists() or sha256_of(path) != digests[column]:
            raise AnonymisationError(f"The hierarchy of '{column}' is not here any more: prepare the release anew.")
    return found
