"""A model's weights as matrices."""

from typing import Any

import numpy as np

from personalization.recommender.model import Model


def kept_weights(model: Model, part: int = 0) -> Any:
    """Return the (items x items) weights that a part keeps, without the popularity taken out of them."""
    rows = model.parts[part]
    matrix = np.zeros((len(model.items), len(model.items)))
    for item in range(len(model.items)):
        np.add.at(matrix[item], rows.neighbours[item], rows.weights[item])
    return matrix


def weights(model: Model, part: int = 0) -> Any:
    """Return the (items x items) weights that a part scores with."""
    rows = model.parts[part]
    return kept_weights(model, part) + rows.out @ rows.into
