"""Cells of any type as texts, as a CSV copy has them; bytes are hexadecimal."""

import pyarrow as pa


def as_texts(values: pa.Array) -> pa.Array:
    """Return values as texts; a missing one stays missing."""
    kind = values.type
    if pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_fixed_size_binary(kind):
        return pa.array([None if value is None else value.hex() for value in values.to_pylist()], pa.string())
    return values.cast(pa.string())


def texts_of(column: pa.Array) -> pa.Array:
    """Return the cells of a column as texts, the missing ones empty."""
    return as_texts(column.dictionary_decode() if isinstance(column, pa.DictionaryArray) else column).fill_null("")
