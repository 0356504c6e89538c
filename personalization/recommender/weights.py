"""Weights between items: EASE, cosines, and how near in sequence two items are touched."""

import math
from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.linalg import lapack

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

_FEW = 2
"""Rows of at most so many times the weights that are kept are cut by sorting all of these."""
_KEPT_LIMIT = 20_000
"""Up to so many items it is kept which pairs have support (one bit a pair); beyond it each part counts them anew."""

_Matrix = NDArray[np.float32]
_Flags = NDArray[np.bool_]
_Blocks = Iterable[tuple[int, _Matrix]]


class Builder:
    """Builds parts from the same histories; what several of them need is computed once.

    A part has only weights between items that ``min_people`` people touched both of, and of a row the ``neighbours``
    strongest.
    """

    def __init__(self, data: Histories, *, min_people: int, neighbours: int, dense_limit: int = DENSE_LIMIT) -> None:
        self.data, self.neighbours, self._min_people, self._dense_limit = data, neighbours, min_people, dense_limit
        self._kept: dict[int, NDArray[np.uint8]] = {}

    def of(self, data: Histories) -> "Builder":
        """Return the builder of other histories by the same rules."""
        return Builder(data, min_people=self._min_people, neighbours=self.neighbours, dense_limit=self._dense_limit)

    @cached_property
    def touched(self) -> Any:
        """Return the CSR matrix (people x items) of ones where a person touched an item."""
        return self.data.touched

    @cached_property
    def likes(self) -> Any:
        """Return the CSR matrix (people x items) of the strengths of what a person liked."""
        return self.data.likes

    @cached_property
    def known(self) -> _Flags:
        """Return which items enough people touched."""
        enough: _Flags = self._people >= self._min_people
        return enough

    def build(self, spec: Spec) -> Part:
        """Compute a part, not scaled yet."""
        if not self.known.any():
            return self._empty(spec)
        if spec.kind is Kind.TFIDF_COSINE:
            return self._cut(spec, _sparse_blocks(_tfidf_cosine(self.likes, self.neighbours)), self.neighbours)
        if self.data.items > self._dense_limit:
            blocks = _sparse_blocks(self._cosine) if spec.likes_only else self._in_sequence(spec.kind)
            return self._cut(spec, blocks, self.neighbours)
        full, neighbours = self._full(spec), self.neighbours
        if spec.rank > 1:
            self._leave_supported(full)
            neighbours = max(1, neighbours // _REMAINDERS)
        out, into = factors.nearest(full, spec.rank)
        blocks = ((start, block - out[start : start + len(block)] @ into) for start, block in _blocks_of(full))
        return replace(self._cut(spec, blocks, neighbours), out=out, into=into)

    def _empty(self, spec: Spec) -> Part:
        return self._part(spec, np.zeros((self.data.items, 0), np.int32), np.zeros((self.data.items, 0), np.float32))

    def _part(self, spec: Spec, columns: NDArray[np.int32], weights: _Matrix) -> Part:
        size = self.data.items
        out, into = np.zeros((size, 1), dtype=np.float32), np.zeros((1, size), dtype=np.float32)
        return Part(spec, 1.0, columns, weights, out, into)

    def _cut(self, spec: Spec, blocks: _Blocks, neighbours: int) -> Part:
        """Cut every row to its strongest weights among the pairs with enough people behind them."""
        cut = [_strongest(block, self._support(start, len(block)), neighbours) for start, block in blocks]
        width = max(columns.shape[1] for columns, _ in cut)
        columns, weights = (
            np.vstack([np.pad(one, ((0, 0), (0, width - one.shape[1]))) for one in some])
            for some in zip(*cut, strict=True)
        )
        return self._part(spec, columns, weights)

    def _full(self, spec: Spec) -> _Matrix:
        """Return the matrix of all pairs, zero where one of them lacks support."""
        if spec.likes_only:
            both = np.ix_(self.known, self.known)
            full = np.zeros((self.data.items, self.data.items), dtype=np.float32)
            full[both] = self._ease(spec.regularisation) if spec.kind is Kind.EASE else self._cosine.toarray()[both]
        else:
            full = np.vstack([block for _, block in self._in_sequence(spec.kind)])
            full[~self.known] = 0.0
            full[:, ~self.known] = 0.0
        np.fill_diagonal(full, 0.0)
        return full

    def _leave_supported(self, full: _Matrix) -> None:
        """Set weights without enough people to 0: several directions could reveal single pairs, as one cannot."""
        for start, block in _blocks_of(full):
            block[~self._support(start, len(block))] = 0.0

    @cached_property
    def _people(self) -> NDArray[np.float64]:
        return np.asarray(self.touched.sum(axis=0), dtype=np.float64).ravel()

    @cached_property
    def _by_item(self) -> Any:
        return self.touched.T.tocsr()

    @cached_property
    def _gram(self) -> NDArray[np.float64]:
        """Return how strongly the same people liked two items, of those that are known."""
        likes = self.likes[:, np.flatnonzero(self.known)]
        products: NDArray[np.float64] = (likes.T @ likes).toarray()
        return products

    def _ease(self, regularisation: float) -> NDArray[np.float64]:
        """Solve EASE in closed form: B = I - P / diag(P), P = (X'X + lambda I)^-1 (Steck 2019, eq. 8)."""
        gram = np.array(self._gram, order="F")
        gram[np.diag_indices_from(gram)] += regularisation
        # By Cholesky: less than half the work of any other inversion, on one thread.
        factor, _ = lapack.dpotrf(gram, lower=True, overwrite_a=True)
        lower, _ = lapack.dpotri(factor, lower=True, overwrite_c=True)
        precision = np.tril(lower) + np.tril(lower, -1).T
        weights: NDArray[np.float64] = -precision / np.diag(precision)
        return weights

    @cached_property
    def _cosine(self) -> Any:
        """Return the CSR matrix of the cosine similarities of columns."""
        lengths = np.sqrt(np.asarray(self.likes.multiply(self.likes).sum(axis=0)).ravel())
        columns = self.likes @ sparse.diags_array(1 / np.where(lengths > 0, lengths, 1.0))
        similar = sparse.csr_matrix(columns.T @ columns)
        similar.setdiag(0.0)
        similar.eliminate_zeros()
        return similar

    def _in_sequence(self, kind: Kind) -> Iterator[tuple[int, _Matrix]]:
        """Yield blocks of rows: how often and how closely item j is touched after (and, by half, before) item i."""
        position, people = self.data.position, self._people
        by_item, rooms = np.argsort(position, kind="stable"), _rooms(self.data)
        starts = np.searchsorted(position[by_item], np.arange(0, self.data.items + _ROWS_AT_A_TIME, _ROWS_AT_A_TIME))
        for block, first in enumerate(range(0, self.data.items, _ROWS_AT_A_TIME)):
            rows = min(_ROWS_AT_A_TIME, self.data.items - first)
            near = _near(kind, self.data, rooms, by_item[starts[block] : starts[block + 1]], first, rows)
            near /= np.sqrt(np.outer(people[first : first + rows], people)) + _DAMPING
            yield first, near.astype(np.float32)

    def _support(self, start: int, rows: int) -> _Flags:
        """Return which pairs of some rows have enough people behind them; an item and itself are no pair."""
        if start not in self._kept:
            both: _Flags = (self._by_item[start : start + rows] @ self.touched).toarray() >= self._min_people
            both[np.arange(rows), start + np.arange(rows)] = False
            if self.data.items > _KEPT_LIMIT:
                return both
            self._kept[start] = np.packbits(both, axis=1)
        kept: _Flags = np.unpackbits(self._kept[start], axis=1, count=self.data.items).view(np.bool_)
        return kept


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


def _rooms(data: Histories) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return of every touch how many of the same person come after it, and how many before."""
    numbers = np.bincount(data.number)
    after = np.cumsum(numbers)[data.number] - 1 - np.arange(len(data))
    return after, numbers[data.number] - 1 - after


def _near(
    kind: Kind,
    data: Histories,
    rooms: tuple[NDArray[np.intp], NDArray[np.intp]],
    events: NDArray[np.intp],
    first: int,
    rows: int,
) -> NDArray[np.float64]:
    """Count the touches that are near those of some items, which are the rows from ``first`` on."""
    window, position = _WINDOWS[kind], data.position
    near = np.zeros(rows * data.items)
    directions = []
    for sign, room, share in ((1, rooms[0][events], 1.0), (-1, rooms[1][events], _BACKWARDS[kind])):
        # Those with most room come first, so that a prefix has room for a step.
        some = events[np.argsort(-room, kind="stable")]
        enough = np.cumsum(np.bincount(room, minlength=1)[::-1])[::-1]
        if share:
            directions.append((sign, share, some, (position[some] - first) * data.items, enough))
    longest = max((len(enough) for *_, enough in directions), default=1)
    for lag in range(1, min(int(_REACH * window), longest - 1) + 1):
        for sign, share, some, row, enough in directions:
            size = enough[lag] if lag < len(enough) else 0
            cells = row[:size] + position[some[:size] + sign * lag]
            np.add.at(near, cells, share * math.exp(-lag / window))
    return near.reshape(rows, data.items)


def _blocks_of(full: _Matrix) -> Iterator[tuple[int, _Matrix]]:
    for start in range(0, len(full), _ROWS_AT_A_TIME):
        yield start, full[start : start + _ROWS_AT_A_TIME]


def _sparse_blocks(weights: Any) -> Iterator[tuple[int, _Matrix]]:
    for start in range(0, weights.shape[0], _ROWS_AT_A_TIME):
        yield start, weights[start : start + _ROWS_AT_A_TIME].astype(np.float32).toarray()


def _strongest(block: _Matrix, supported: NDArray[np.bool_], neighbours: int) -> tuple[NDArray[np.int32], _Matrix]:
    """Keep the ``neighbours`` largest absolute values of each row; ties keep the items' order.

    Only what reaches a row's last place is put in order: to do so with whole rows takes most of a training.
    """
    block = np.where(supported, block, np.float32(0))
    rows, columns = np.nonzero(block)
    if len(rows) > _FEW * neighbours * len(block):
        strength = np.abs(block)
        # Sorted, as a partition of values that are mostly 0 takes more than ten times as long.
        least = np.sort(strength, axis=1)[:, -neighbours, np.newaxis] if neighbours < block.shape[1] else 0
        rows, columns = np.nonzero((strength > 0) & (strength >= least))
    order = np.lexsort((-np.abs(block[rows, columns]), rows))  # stable: of equal values the first item comes first
    rows, columns = rows[order], columns[order]
    place = np.arange(len(rows)) - np.searchsorted(rows, rows)
    kept = place < neighbours
    rows, columns, place = rows[kept], columns[kept], place[kept]
    width = int(place.max(initial=-1)) + 1
    found = np.zeros((len(block), width), dtype=np.int32)
    values = np.zeros((len(block), width), dtype=np.float32)
    found[rows, place], values[rows, place] = columns, block[rows, columns]
    return found, values
