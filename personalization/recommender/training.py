"""Training: from interactions of many people to a model that holds no person."""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from personalization.recommender.interactions import Interactions, InvalidInteractions, Item, Person
from personalization.recommender.model import Method, Model, Parameters, Popularity, TrainedOn

EASE_LIMIT = 5_000
_ROWS_AT_A_TIME = 1_000


def train(
    interactions: Interactions,
    items: Iterable[Item],
    segments: Mapping[Person, str],
    *,
    min_segment: int = 20,
    min_people: int = 2,
    neighbours: int = 200,
    regularisation: float = 20.0,
    damping: float = 10.0,
    ease_limit: int = EASE_LIMIT,
) -> Model:
    """Train a model; the same input gives the same model.

    ``segments`` maps a person to a segment key such as ``region=DE|age=adult``. A segment of fewer than
    ``min_segment`` people is not stored at all. ``min_people`` (>= 2) is the support behind every number:
    an item counts as popular, and a weight between two items exists, only if that many people touched it,
    or both. With a single person behind it, an item's row of weights would be that person's history.
    This is a floor against singling out, not differential privacy.

    ``neighbours`` bounds the weights kept for an item. ``damping`` (people) pulls a segment's shares towards
    everybody's. Up to ``ease_limit`` items the weights are EASE with L2 ``regularisation``; above it, where
    inverting an (items x items) matrix stops being cheap, cosine similarities of TF-IDF columns.
    Interactions with items outside ``items`` are left out.

    Raises InvalidInteractions for two items with one id, ValueError for a parameter out of range.
    """
    _check(min_segment, min_people, neighbours, regularisation, damping)
    catalogue = _catalogue(items)
    people, strengths = _strengths(interactions, catalogue)
    touched = (strengths > 0).astype(np.int32)
    popularity = _popularity(touched, min_people=min_people, damping=damping, prior=None)
    method = Method.EASE if len(catalogue) <= ease_limit else Method.TFIDF_COSINE
    return Model(
        items=catalogue,
        popularity=popularity,
        segments={
            key: _popularity(touched[members], min_people=min_people, damping=damping, prior=popularity.scores)
            for key, members in _segments(people, segments).items()
            if len(members) >= min_segment
        },
        item_weights=_item_weights(strengths, touched, method, min_people, neighbours, regularisation),
        trained_on=TrainedOn(people=len(people), pairs=int(touched.nnz), items=len(catalogue)),
        parameters=Parameters(method, min_segment, min_people, neighbours, regularisation, damping),
    )


def _check(min_segment: int, min_people: int, neighbours: int, regularisation: float, damping: float) -> None:
    if min_people < 2 or min_segment < min_people:
        raise ValueError("min_people must be at least 2, and min_segment at least min_people.")
    if neighbours < 1:
        raise ValueError("neighbours must be at least 1.")
    if not (math.isfinite(regularisation) and regularisation > 0):
        raise ValueError("regularisation must be a finite number above 0.")
    if not (math.isfinite(damping) and damping >= 0):
        raise ValueError("damping must be a finite number of people, 0 or more.")


def _catalogue(items: Iterable[Item]) -> tuple[Item, ...]:
    catalogue = tuple(sorted(items, key=lambda item: item.id))
    if len({item.id for item in catalogue}) != len(catalogue):
        raise InvalidInteractions("Two items have the same id.")
    return catalogue


def _strengths(interactions: Interactions, catalogue: Sequence[Item]) -> tuple[list[Person], Any]:
    """Return the people and a CSR matrix (people x items) of strengths, 0 < strength <= 1.

    A person's strongest interaction with an item counts, relative to their strongest with any: so each person has the
    same bounded pull on the weights, independent of their worth to the shop.
    """
    columns = {item.id: column for column, item in enumerate(catalogue)}
    known = [row for row, item in enumerate(interactions.item) if item in columns]
    people = _sorted_people({interactions.person[row] for row in known})
    numbers = {person: number for number, person in enumerate(people)}
    strongest: dict[tuple[int, int], float] = {}
    for row in known:
        pair = numbers[interactions.person[row]], columns[interactions.item[row]]
        strongest[pair] = max(strongest.get(pair, 0.0), float(interactions.weight[row]))
    return people, _relative_to_the_strongest(strongest, shape=(len(people), len(catalogue)))


def _sorted_people(people: set[Person]) -> list[Person]:
    """Order people so that the order of rows does not change the model."""
    return sorted(people, key=lambda person: (isinstance(person, bytes), person))


def _relative_to_the_strongest(strongest: Mapping[tuple[int, int], float], shape: tuple[int, int]) -> Any:
    pairs = np.array(sorted(strongest), dtype=np.intp).reshape(-1, 2)
    weights = np.array([strongest[row, column] for row, column in pairs], dtype=np.float64)
    highest = np.zeros(shape[0])
    np.maximum.at(highest, pairs[:, 0], weights)
    values = weights / highest[pairs[:, 0]]
    return sparse.csr_matrix((values, (pairs[:, 0], pairs[:, 1])), shape=shape)


def _segments(people: Sequence[Person], segments: Mapping[Person, str]) -> dict[str, list[int]]:
    members: dict[str, list[int]] = {}
    for number, person in enumerate(people):
        if person in segments:
            members.setdefault(segments[person], []).append(number)
    return dict(sorted(members.items()))


def _popularity(touched: Any, *, min_people: int, damping: float, prior: NDArray[np.float64] | None) -> Popularity:
    """Return (n + damping * prior) / (people + damping), n = distinct people who touched the item.

    ``prior`` is the share among everybody; without one it is 0. Counts below ``min_people`` are taken as 0.
    """
    people = touched.shape[0]
    counts = np.asarray(touched.sum(axis=0), dtype=np.float64).ravel()
    counts[counts < min_people] = 0.0
    expected = np.zeros_like(counts) if prior is None else damping * prior
    return Popularity(people=people, scores=(counts + expected) / max(people + damping, 1.0))


def _item_weights(
    strengths: Any, touched: Any, method: Method, min_people: int, neighbours: int, regularisation: float
) -> Any:
    """Return the (items x items) CSR matrix of positive weights with enough people behind each pair."""
    supported = np.flatnonzero(np.asarray(touched.sum(axis=0)).ravel() >= min_people)
    if not len(supported):
        return sparse.csr_matrix((touched.shape[1], touched.shape[1]), dtype=np.float32)
    columns = strengths[:, supported]
    if method is Method.EASE:
        weights = sparse.csr_matrix(_ease(columns, regularisation))
    else:
        weights = _tfidf_cosine(columns, neighbours)
    weights = _with_support(weights, touched[:, supported], min_people)
    return _spread(_strongest_per_row(weights, neighbours), supported, strengths.shape[1])


def _ease(strengths: Any, regularisation: float) -> NDArray[np.float64]:
    """Solve EASE in closed form: B = I - P / diag(P), P = (X'X + lambda I)^-1 (Steck 2019, eq. 8)."""
    gram = (strengths.T @ strengths).toarray()
    gram[np.diag_indices_from(gram)] += regularisation
    precision = np.linalg.inv(gram)
    weights = -precision / np.diag(precision)
    np.fill_diagonal(weights, 0.0)
    # Only positive weights can be given as a reason; dropping the negative ones keeps the explanation exact.
    positive: NDArray[np.float64] = np.maximum(weights, 0.0)
    return positive


def _tfidf_cosine(strengths: Any, neighbours: int) -> Any:
    """Return the cosine similarity of columns; a person who touched few items says more (IDF over people)."""
    # Imported here: loading it takes longer than serving, and only large catalogues need it.
    from implicit.nearest_neighbours import all_pairs_knn

    items = strengths.shape[1]
    breadth = np.maximum(np.diff(strengths.indptr), 1)
    weighted = sparse.diags_array(np.log1p(items / breadth)) @ strengths
    lengths = np.sqrt(np.asarray(weighted.multiply(weighted).sum(axis=0)).ravel())
    columns = sparse.csr_matrix(weighted @ sparse.diags_array(1 / lengths))
    # One more than asked, because every item is its own nearest neighbour.
    similar = all_pairs_knn(columns, neighbours + 1, num_threads=1, show_progress=False).tocsr()
    similar.setdiag(0.0)
    similar.eliminate_zeros()
    return similar


def _with_support(weights: Any, touched: Any, min_people: int) -> Any:
    """Keep the weights between items that at least ``min_people`` people touched both of."""
    kept = []
    for start in range(0, weights.shape[0], _ROWS_AT_A_TIME):
        rows = slice(start, start + _ROWS_AT_A_TIME)
        both = touched[:, rows].T @ touched
        kept.append(weights[rows].multiply(both >= min_people))
    return sparse.vstack(kept, format="csr")


def _strongest_per_row(weights: Any, neighbours: int) -> Any:
    """Keep the ``neighbours`` largest values of each row; ties keep the items' order."""
    rows, columns, values = [], [], []
    for row in range(weights.shape[0]):
        span = slice(weights.indptr[row], weights.indptr[row + 1])
        strongest = np.sort(np.argsort(-weights.data[span], kind="stable")[:neighbours])
        rows.append(np.full(len(strongest), row))
        columns.append(weights.indices[span][strongest])
        values.append(weights.data[span][strongest])
    entries = (np.concatenate(values), (np.concatenate(rows), np.concatenate(columns)))
    return sparse.csr_matrix(entries, shape=weights.shape)


def _spread(weights: Any, positions: NDArray[np.intp], size: int) -> Any:
    """Place the weights of the supported items at their positions among all items."""
    entries = weights.tocoo()
    spread = sparse.csr_matrix(
        (entries.data.astype(np.float32), (positions[entries.row], positions[entries.col])),
        shape=(size, size),
    )
    spread.sort_indices()
    return spread
