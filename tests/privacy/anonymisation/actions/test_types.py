"""Actions on columns of types that are no texts."""

import pyarrow as pa

from privacy.anonymisation.actions import cells


def test_cells_of_any_type_are_read_as_a_csv_copy_has_them():
    for column in (pa.array([b"\xff", None]), pa.array([b"\xff", None]).dictionary_encode()):
        texts, of_row = cells.coded(column)
        assert [texts[place] for place in of_row] == ["ff", None]
    texts, of_row = cells.coded(pa.array([7, None, 7]).dictionary_encode())
    assert [texts[place] for place in of_row] == ["7", None, "7"]
