"""What an erasure answers: what went, what is kept on which ground and until when, which models are trained anew."""

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import date
from functools import lru_cache
from typing import Any

from privacy.rights.evidence import manifest
from privacy.rights.models import ErasureStep, RightsRequest
from privacy.rights.requests.states import Move
from privacy.rights.stores import seam
from privacy.rights.stores.tables import count_all, verify_all


def left(request: RightsRequest) -> dict[str, int]:
    """Return how many rows each store still holds of the person: the verification query of an erasure."""
    return verify_all(seam.emptied(), request.subject_ref)


def missing(_request: RightsRequest, left: Mapping[str, int]) -> list[str]:
    """Return the stores that still hold something of the person."""
    return [name for name, rows in left.items() if rows]


def said(request: RightsRequest) -> dict[str, Any]:
    """Return the answer, as the step that completes the request keeps it."""
    steps = list(request.erasure_steps.order_by("id"))
    erased: Counter[str] = Counter()
    for step in steps:
        erased[step.store] += step.rows
    return {
        "erased": {store: rows for store, rows in erased.items() if rows},
        "kept": list(_kept(request, steps[0].done_at.date() if steps else request.received_on)),
        "models": sorted({model for step in steps for model in step.also.get("models", ())}),
        "manifest_sha256": manifest.digest(entries(steps)),
        "ledger": next((step.also["ledger"] for step in steps if "ledger" in step.also), None),
    }


def entries(steps: Iterable[ErasureStep]) -> list[dict[str, Any]]:
    """Return the steps as the manifest and the evidence name them."""
    return [{name: getattr(step, name) for name in manifest.MEMBERS} for step in steps]


def _kept(request: RightsRequest, day: date) -> Iterable[dict[str, Any]]:
    counts = count_all(seam.kept(), request.subject_ref)
    until = lru_cache(lambda ends: ends(day))  # several stores end by one period, which is read once
    for store in seam.kept():
        description = store.description
        if description.after is not None and counts[description.name]:
            yield {
                "store": description.name,
                "title": description.title,
                "rows": counts[description.name],
                "ground": description.after.ground,
                "until": until(description.after.until).isoformat(),
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
