"""What an erasure answers: what went, what is kept on which ground and until when, which models are trained anew."""

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from common.canonical import digest_of
from privacy.rights.models import RightsRequest
from privacy.rights.stores import seam
from privacy.rights.stores.tables import count_all, verify_all


def missing(request: RightsRequest, _figures: Mapping[str, int]) -> list[str]:
    """Return the stores that still hold something of the person: the verification of an erasure."""
    left = verify_all(seam.emptied(), request.subject_ref)
    return [name for name, rows in left.items() if rows]


def said(request: RightsRequest) -> dict[str, Any]:
    """Return the answer, as the step that completes the request keeps it."""
    steps = list(request.erasure_steps.order_by("id"))
    manifest = [[step.round, step.store, step.fate, step.rows, step.keys_sha256] for step in steps]
    erased: Counter[str] = Counter()
    for step in steps:
        erased[step.store] += step.rows
    return {
        "erased": {store: rows for store, rows in erased.items() if rows},
        "kept": list(_kept(request, steps[0].done_at.date() if steps else request.received_on)),
        "models": sorted({model for step in steps for model in step.also.get("models", ())}),
        "manifest_sha256": digest_of(manifest).hex(),
    }


def _kept(request: RightsRequest, day: date) -> Iterable[dict[str, Any]]:
    counts = count_all(seam.kept(), request.subject_ref)
    for store in seam.kept():
        description = store.description
        if description.after is not None and counts[description.name]:
            yield {
                "store": description.name,
                "title": description.title,
                "rows": counts[description.name],
                "ground": description.after.ground,
                "until": description.after.until(day).isoformat(),
            }
