"""Content of items: which of those that people know a new item is like, by categories, title and text.

An item without enough people behind it has no weights of its own. It takes the mean of the weights of the known items
it is most like, each by the square of the likeness: so it is scored, with exact reasons, from its first day on (item
attributes against the cold start of items: Schein et al. 2002).
"""

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from personalization.recommender.interactions import Item
from personalization.recommender.parts import Part

_WORD = re.compile(r"\w+")
_SHARES = {"categories": 1.0, "title": 0.3, "text": 1.0}
"""How much a likeness in each counts: titles are names more than descriptions."""
_AT_A_TIME = 500


def vectors(items: Sequence[Item]) -> Any:
    """Return the CSR matrix (items x terms): of categories, title and text the TF-IDF, each of length 1 or 0.

    TF-IDF as Salton & Buckley (1988): 1 + log of a term's number, times the logarithm of how rare it is.
    """
    blocks = {
        "categories": [list(item.categories) for item in items],
        "title": [_WORD.findall(item.title.casefold()) for item in items],
        "text": [_WORD.findall(item.text.casefold()) for item in items],
    }
    return sparse.hstack([_SHARES[name] ** 0.5 * _weighed(some) for name, some in blocks.items()]).tocsr()


def _weighed(texts: Sequence[Sequence[str]]) -> Any:
    columns: dict[str, int] = {}
    rows = [row for row, terms in enumerate(texts) for _ in terms]
    cells = [columns.setdefault(term, len(columns)) for terms in texts for term in terms]
    counts = sparse.csr_matrix((np.ones(len(rows)), (rows, cells)), shape=(len(texts), max(len(columns), 1)))
    having = np.asarray((counts > 0).sum(axis=0)).ravel()
    counts.data = 1 + np.log(counts.data)
    # A term that one item has is like nothing; one that all have still says that there is a likeness.
    found = counts @ sparse.diags_array(np.where(having > 1, np.log((1 + len(texts)) / np.maximum(having, 1)), 0.0))
    lengths = np.sqrt(np.asarray(found.multiply(found).sum(axis=1)).ravel())
    return sparse.diags_array(1 / np.where(lengths > 0, lengths, 1.0)) @ found


def likeness(found: Any, known: NDArray[np.bool_], number: int) -> Any:
    """Return the CSR matrix (items x items): of each item that is not known, the ``number`` known it is most like.

    A row sums to 1, or to 0 where nothing known is like the item.
    """
    new, old = np.flatnonzero(~known), np.flatnonzero(known)
    size, columns = found.shape[0], found[old].T.tocsc()
    rows: list[NDArray[np.intp]] = []
    cells: list[NDArray[np.intp]] = []
    values: list[NDArray[np.float64]] = []
    for start in range(0, len(new) if len(old) else 0, _AT_A_TIME):
        some = new[start : start + _AT_A_TIME]
        alike = (found[some] @ columns).toarray()
        best = np.argsort(-alike, axis=1, kind="stable")[:, :number]
        chosen = np.take_along_axis(alike, best, axis=1) ** 2
        total = chosen.sum(axis=1, keepdims=True)
        rows.append(np.repeat(some, best.shape[1]))
        cells.append(old[best].ravel())
        values.append((chosen / np.where(total > 0, total, 1.0)).ravel())
    if not rows:
        return sparse.csr_matrix((size, size))
    entries = (np.concatenate(values), (np.concatenate(rows), np.concatenate(cells)))
    matrix = sparse.csr_matrix(entries, shape=(size, size))
    matrix.eliminate_zeros()
    return matrix


def adopted(part: Part, alike: Any, number: int) -> Part:
    """Return the part with the weights of new items: of each row ``number`` besides those it keeps.

    ``alike`` is what ``likeness`` returns. The factors are taken over whole.
    """
    if not alike.nnz:
        return part
    kept = _rows_of(part)
    derived = _strongest(kept @ alike.T, number)
    rows = kept + derived + _strongest(alike @ (kept + derived), part.weights.shape[1] + number)
    neighbours, weights = _padded(sparse.csr_matrix(rows))
    out = part.out + (alike @ part.out).astype(np.float32)
    into = part.into + (alike @ part.into.T).T.astype(np.float32)
    return replace(part, neighbours=neighbours, weights=weights, out=out, into=np.ascontiguousarray(into))


def _rows_of(part: Part) -> Any:
    size, width = part.neighbours.shape
    rows = np.repeat(np.arange(size), width)
    found = sparse.csr_matrix((part.weights.ravel(), (rows, part.neighbours.ravel())), shape=(size, size))
    found.eliminate_zeros()
    return found


def _strongest(rows: Any, number: int) -> Any:
    """Keep the ``number`` largest absolute values of each row."""
    found = sparse.csr_matrix(rows).tocoo()
    order = np.lexsort((found.col, -np.abs(found.data), found.row))
    starts = np.searchsorted(found.row[order], np.arange(found.shape[0]))
    place = np.arange(len(order)) - starts[found.row[order]]
    chosen = order[place < number]
    entries = (found.data[chosen], (found.row[chosen], found.col[chosen]))
    return sparse.csr_matrix(entries, shape=found.shape)


def _padded(rows: Any) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    lengths = np.diff(rows.indptr)
    width = int(lengths.max(initial=0))
    row = np.repeat(np.arange(len(lengths)), lengths)
    place = np.arange(rows.nnz) - np.repeat(rows.indptr[:-1], lengths)
    neighbours = np.zeros((len(lengths), width), dtype=np.int32)
    weights = np.zeros((len(lengths), width), dtype=np.float32)
    neighbours[row, place], weights[row, place] = rows.indices, rows.data
    return neighbours, weights
