"""Features of a training as a file: of everybody in its data as of one moment, with their definitions.

It is kept with the data and the evaluation of a version (``personalization.snapshots``): who leaves those leaves it.
"""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from personalization.features.definitions import Definition
from personalization.snapshots import files

_PERSON, _MOMENT = "person", "moment"
_DEFINITIONS = b"assent.features"


@dataclass(frozen=True, eq=False)
class Snapshot:
    """Features by person. ``documents``: each definition, with how many people there are and how many have no value."""

    content: bytes
    documents: list[dict[str, Any]]


def made(found: Any, people: Sequence[bytes], inside: Collection[bytes], definitions: Sequence[Definition]) -> Snapshot:
    """Return the file of a query's result, of the people ``inside`` alone; its numbers are places in ``people``."""
    import pyarrow as pa
    from pyarrow import compute

    refs = pa.array(people, pa.binary(16)).take(found[_PERSON])
    table = found.drop_columns([_PERSON]).add_column(0, _PERSON, refs)
    table = table.filter(compute.is_in(table[_PERSON], value_set=pa.array(inside, pa.binary(16))))
    documents = [
        {**each.document(), "people": len(table), "missing": table[each.column].null_count} for each in definitions
    ]
    noted = json.dumps([each.document() for each in definitions], sort_keys=True).encode()
    return Snapshot(files.table_bytes(table.replace_schema_metadata({_DEFINITIONS: noted})), documents)


def read(content: bytes) -> tuple[list[dict[str, Any]], Any]:
    """Return the definitions and the table of a file. Raises Unreadable."""
    table = files.table_of(content)
    try:
        documents = json.loads((table.schema.metadata or {})[_DEFINITIONS])
        columns = {_PERSON, _MOMENT, *map(_column, documents)}
    except (KeyError, ValueError, TypeError) as exc:
        raise files.Unreadable("says of no feature how it is defined") from exc
    if columns != set(table.column_names):
        raise files.Unreadable("has not the columns of its definitions")
    return documents, table


def of_person(content: bytes, person: bytes) -> list[str]:
    """Return what a file says of a person, a line a feature. Raises Unreadable."""
    import pyarrow as pa
    from pyarrow import compute

    documents, table = read(content)
    rows = table.filter(compute.equal(table[_PERSON], pa.scalar(person, pa.binary(16)))).to_pylist()
    return [
        f"{each['name']}@{each['version']} {row[_column(each)]}"
        for row in rows
        for each in documents
        if row[_column(each)] is not None
    ]


def _column(document: Mapping[str, Any]) -> str:
    """Return the column of a definition, as ``Definition.column``."""
    return f"{document['name']}_v{document['version']}"
