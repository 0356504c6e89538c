"""What an erasure answers: what went, what is kept on which ground and until when, which models are trained anew."""

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from common.canonical import digest_of
from privacy.rights.models import RightsRequest
from privacy.rights.requests.states import Move
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


def kept(request: RightsRequest) -> list[dict[str, Any]]:
    """Return what an erasure that is done has left as proof, on which ground and until when."""
    said: dict[str, Any] = next((step.details for step in request.steps.all() if step.move == Move.COMPLETE), {})
    return grouped((part["title"], part["ground"], date.fromisoformat(part["until"])) for part in said.get("kept", ()))


def grouped(parts: Iterable[tuple[str, str, date]]) -> list[dict[str, Any]]:
    """Return what is kept as entries of one ground and one end each: title, ground and end of every part come in."""
    titles: dict[tuple[str, date], list[str]] = {}
    for title, ground, until in parts:
        titles.setdefault((ground, until), []).append(title)
    return [{"titles": sorted(found), "ground": ground, "until": until} for (ground, until), found in titles.items()]
