"""Weights between items: EASE, cosines, and how near in sequence two items are touched."""

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from personalization.recommender import factors
from personalization.recommender.histories import Histories
from personalization.recommender.parts import Part
from personalization.recommender.recipe import Kind, Spec

DENSE_LIMIT = 5_000
"""Up to so many items a matrix of all pairs is held and inverted; beyond it rows are computed in blocks."""
_ROWS_AT_A_TIME = 1_000
_WINDOWS = {Kind.NEAR: 20.0, Kind.FORWARD: 60.0}
_BACKWARDS = {Kind.NEAR: 0.5, Kind.FORWARD: 0.0}
_REACH = 3
_DAMPING = 10.0
_REMAINDERS = 4
"""With several directions kept whole, a row needs only one in so many of its weights besides."""

_Matrix = NDArray[np.float32]


def build(spec: Spec, data: Histories, *, min_people: int, neighbours: int, dense_limit: int = DENSE_LIMIT) -> Part:
    """Compute a part: only weights between items that ``min_people`` people touched both of, the strongest of a row."""
    touched = data.touched
    supported = np.asarray(touched.sum(axis=0)).ravel() >= min_people
    if not supported.any():
        return _empty(spec, data.items)
    if spec.kind is Kind.TFIDF_COSINE:
        blocks = _sparse_blocks(_tfidf_cosine(data.likes, neighbours))
        return _assembled(spec, blocks, touched, min_people, neighbours)
    if data.items > dense_limit:
        blocks = _in_sequence(spec.kind, data, touched) if not spec.likes_only else _sparse_blocks(_cosine(data.likes))
        return _assembled(spec, blocks, touched, min_people, neighbours)
    full = _full(spec, data, touched, supported)
    if spec.rank > 1:
        _leave_supported(full, touched, min_people)
        neighbours = max(1, neighbours // _REMAINDERS)
    out, into = factors.nearest(full, spec.rank)
    blocks = ((start, block - out[start : start + len(block)] @ into) for start, block in _blocks_of(full))
    return _assembled(spec, blocks, touched, min_people, neighbours, out, into)


def _leave_supported(full: _Matrix, touched: Any, min_people: int) -> None:
    """Set weights without enough people to 0: several directions could reveal single pairs, as one cannot."""
    for start, block in _blocks_of(full):
        block[~_support(touched, start, len(block), min_people)] = 0.0


def _empty(spec: Spec, size: int) -> Part:
    out, into = np.zeros((size, 1), dtype=np.float32), np.zeros((1, size), dtype=np.float32)
    return Part(spec, 1.0, np.zeros((size, 0), np.int32), np.zeros((size, 0), np.float32), out, into)


def _full(spec: Spec, data: Histories, touched: Any, supported: NDArray[np.bool_]) -> _Matrix:
    """Return the matrix of all pairs, zero where one of them lacks support."""
    if spec.likes_only:
        likes = data.likes[:, np.flatnonzero(supported)]
        some = _ease(likes, spec.regularisation) if spec.kind is Kind.EASE else _cosine(likes).toarray()
        full = np.zeros((data.items, data.items), dtype=np.float32)
        full[np.ix_(supported, supported)] = some
    else:
        full = np.vstack([block for _, block in _in_sequence(spec.kind, data, touched)])
        full[~supported] = 0.0
        full[:, ~supported] = 0.0
    np.fill_diagonal(full, 0.0)
    return full


def _ease(likes: Any, regularisation: float) -> NDArray[np.float64]:
    """Solve EASE in closed form: B = I - P / diag(P), P = (X'X + lambda I)^-1 (Steck 2019, eq. 8)."""
    gram = (likes.T @ likes).toarray()
    gram[np.diag_indices_from(gram)] += regularisation
    precision = np.linalg.inv(gram)
    weights: NDArray[np.float64] = -precision / np.diag(precision)
    return weights


def _cosine(likes: Any) -> Any:
    """Return the cosine similarity of columns."""
    lengths = np.sqrt(np.asarray(likes.multiply(likes).sum(axis=0)).ravel())
    columns = likes @ sparse.diags_array(1 / np.where(lengths > 0, lengths, 1.0))
    similar = sparse.csr_matrix(columns.T @ columns)
    similar.setdiag(0.0)
    similar.eliminate_zeros()
    return similar


def _tfidf_cosine(likes: Any, neighbours: int) -> Any:
    """Return the cosine similarity of columns; a person who touched few items says more (IDF over people)."""
    # Imported here: loading it takes longer than serving, and only large catalogues need it.
    from implicit.nearest_neighbours import all_pairs_knn

    breadth = np.maximum(np.diff(likes.indptr), 1)
    weighted = sparse.diags_array(np.log1p(likes.shape[1] / breadth)) @ likes
    lengths = np.sqrt(np.asarray(weighted.multiply(weighted).sum(axis=0)).ravel())
    columns = sparse.csr_matrix(weighted @ sparse.diags_array(1 / np.where(lengths > 0, lengths, 1.0)))
    # One more than asked, because every item is its own nearest neighbour.
    similar = all_pairs_knn(columns, neighbours + 1, num_threads=1, show_progress=False).tocsr()
    similar.setdiag(0.0)
    similar.eliminate_zeros()
    return similar


def _in_sequence(kind: Kind, data: Histories, touched: Any) -> Iterator[tuple[int, _Matrix]]:
    """Yield blocks of rows: how often and how closely item j is touched after (and, by half, before) item i."""
    people = np.asarray(touched.sum(axis=0), dtype=np.float64).ravel()
    by_item = np.argsort(data.position, kind="stable")
    starts = np.searchsorted(data.position[by_item], np.arange(0, data.items + _ROWS_AT_A_TIME, _ROWS_AT_A_TIME))
    for block, first in enumerate(range(0, data.items, _ROWS_AT_A_TIME)):
        rows = min(_ROWS_AT_A_TIME, data.items - first)
        near = _near(kind, data, by_item[starts[block] : starts[block + 1]], first, rows)
        near /= np.sqrt(np.outer(people[first : first + rows], people)) + _DAMPING
        yield first, near.astype(np.float32)


def _near(kind: Kind, data: Histories, events: NDArray[np.intp], first: int, rows: int) -> NDArray[np.float64]:
    window, size = _WINDOWS[kind], data.items
    near = np.zeros(rows * size)
    longest = int(np.bincount(data.number).max()) if len(data) else 0
    for lag in range(1, min(int(_REACH * window), longest - 1) + 1):
        for other, share in ((events + lag, 1.0), (events - lag, _BACKWARDS[kind])):
            if not share:
                continue
            inside = (other >= 0) & (other < len(data))
            inside[inside] = data.number[events[inside]] == data.number[other[inside]]
            cells = (data.position[events[inside]] - first) * size + data.position[other[inside]]
            np.add.at(near, cells, share * math.exp(-lag / window))
    return near.reshape(rows, size)


def _blocks_of(full: _Matrix) -> Iterator[tuple[int, _Matrix]]:
    for start in range(0, len(full), _ROWS_AT_A_TIME):
        yield start, full[start : start + _ROWS_AT_A_TIME]


def _sparse_blocks(weights: Any) -> Iterator[tuple[int, _Matrix]]:
    for start in range(0, weights.shape[0], _ROWS_AT_A_TIME):
        yield start, weights[start : start + _ROWS_AT_A_TIME].toarray().astype(np.float32)


def _assembled(
    spec: Spec,
    blocks: Any,
    touched: Any,
    min_people: int,
    neighbours: int,
    out: NDArray[np.float32] | None = None,
    into: NDArray[np.float32] | None = None,
) -> Part:
    """Cut every row to its strongest weights among the pairs with enough people behind them."""
    cut = [_strongest(block, _support(touched, start, len(block), min_people), neighbours) for start, block in blocks]
    width = max(columns.shape[1] for columns, _ in cut)
    padded = [
        [np.pad(one, ((0, 0), (0, width - one.shape[1]))) for one in (columns, weights)] for columns, weights in cut
    ]
    size = touched.shape[1]
    return Part(
        spec,
        1.0,
        np.vstack([columns for columns, _ in padded]),
        np.vstack([weights for _, weights in padded]),
        np.zeros((size, 1), dtype=np.float32) if out is None else out,
        np.zeros((1, size), dtype=np.float32) if into is None else into,
    )


def _support(touched: Any, start: int, rows: int, min_people: int) -> NDArray[np.bool_]:
    both = (touched[:, start : start + rows].T @ touched).toarray() >= min_people
    both[np.arange(rows), start + np.arange(rows)] = False
    supported: NDArray[np.bool_] = both
    return supported


def _strongest(block: _Matrix, supported: NDArray[np.bool_], neighbours: int) -> tuple[NDArray[np.int32], _Matrix]:
    """Keep the ``neighbours`` largest absolute values of each row; ties keep the items' order.

    Only what reaches a row's last place is sorted: to sort whole rows takes most of a training with many items.
    """
    block = np.where(supported, block, np.float32(0))
    strength = np.abs(block)
    reaches = strength > 0
    if neighbours < strength.shape[1]:
        reaches &= strength >= np.partition(strength, -neighbours, axis=1)[:, -neighbours, np.newaxis]
    rows, columns = np.nonzero(reaches)
    order = np.lexsort((-strength[rows, columns], rows))  # stable: of equal values the first item comes first
    rows, columns = rows[order], columns[order]
    place = np.arange(len(rows)) - np.searchsorted(rows, rows)
    kept = place < neighbours
    rows, columns, place = rows[kept], columns[kept], place[kept]
    width = int(place.max(initial=-1)) + 1
    found = np.zeros((len(block), width), dtype=np.int32)
    values = np.zeros((len(block), width), dtype=np.float32)
    found[rows, place], values[rows, place] = columns, block[rows, columns]
    return found, values
