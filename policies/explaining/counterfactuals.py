"""Counterfactuals: flip one fact, ask the same policy again, keep what changes the answer.

Each flip is a lawful act: ask a person who has not answered, approve a model, process elsewhere, use less data. A
refusal, withdrawal, objection, signal, age, limit or hold is never flipped, and after a refusal nothing is suggested at
all: no answer shows a way around a "no".
"""

from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import msgspec

from common.levels import LEVELS
from policies.bundles import loading
from policies.bundles.loading import LoadedBundle
from policies.decisions.evaluate import evaluate_facts
from policies.decisions.memo import ENTRY_BYTES, MIB, Memo
from policies.decisions.rendering import NO_ENGINE, RenderedVerdict

MAX_EVALUATIONS = 32  # for one answer
_ASKABLE = frozenset({"never_asked", "expired", "renewal_required"})
_NO = frozenset({"refused", "withdrawn"})
_CURABLE = frozenset({"draft", "suspended"})
Change = dict[str, Any]
_Facts = dict[str, Any]
_Flips = Iterator[tuple[Change, _Facts]]


@dataclass
class Budget:
    """Remaining evaluations of one request."""

    left: int


def _size_of(answer: bytes, changes: list[Change]) -> int:
    return ENTRY_BYTES + len(answer) + 1024 * len(changes)


CHANGES: Memo[bytes, list[Change]] = Memo(8 * MIB, _size_of)  # by answer, which names its revision


def would_change(
    rendered: RenderedVerdict, budget: Budget | None = None, *, candidate: str | None = None
) -> list[Change] | None:
    """Return the single changes that would permit more than ``rendered`` does, with the level each leads to.

    None where the budget ran out, or the engine failed, before all of them were tried. The changes of an answer are
    worked out once. ``candidate`` is the revision of the rollout, which another server may answer for.
    """
    # A failure has no facts; what would change those of another package than consent is that package's business.
    if rendered.engine == NO_ENGINE or _has_everything(rendered):
        return []
    try:
        return _remembered(rendered, budget or Budget(MAX_EVALUATIONS), candidate)
    except (KeyError, TypeError, AttributeError, msgspec.DecodeError):
        # Logged facts of another release may have another shape; nothing is suggested about what cannot be read.
        return []


def _remembered(rendered: RenderedVerdict, budget: Budget, candidate: str | None) -> list[Change] | None:
    document = msgspec.json.decode(rendered.facts)
    if not document or "package" in document or _is_refused(document):
        return []
    changes = CHANGES.get(rendered.log)
    if changes is None:
        bundle = loading.loaded(rendered.verdict.revision)
        changes = _tried(rendered, document, bundle, budget, candidate)
        if changes is not None:
            CHANGES.remember(rendered.log, changes)
    return changes


def flips(document: _Facts, bundle: LoadedBundle) -> _Flips:
    """Return every single change that is tried, with the facts as they would be after it."""
    for kind in (_consent, _model, _regions, _instruments, _less_data, _time):
        yield from kind(document, bundle)


def _tried(
    rendered: RenderedVerdict, document: _Facts, bundle: LoadedBundle, budget: Budget, candidate: str | None
) -> list[Change] | None:
    changes: list[Change] = []
    asked: dict[bytes, RenderedVerdict] = {}
    for change, flipped in flips(document, bundle):
        facts = msgspec.json.encode(flipped)
        if facts not in asked:
            if budget.left == 0 or len(asked) == MAX_EVALUATIONS:
                return None
            budget.left -= 1
            asked[facts] = evaluate_facts(facts, bundle, candidate=candidate)
            if asked[facts].engine == NO_ENGINE:
                # The engine failed; asking it about everything else would only wait for it again and again.
                return None
        after = asked[facts]
        if _permits_more(after, rendered):
            level = after.verdict.level
            changes.append({**change, "to_level": level} if level else change)
    return changes


def _has_everything(rendered: RenderedVerdict) -> bool:
    """Return whether the answer is a permit without limitations."""
    return rendered.verdict.decision and not rendered.verdict.reasons


def _is_refused(document: _Facts) -> bool:
    """Return whether the person said no, to this or to what it is a part of, or the law rules it out."""
    consent = document["consent"]
    broader_no = consent["state"] != "given" and not _NO.isdisjoint(document["ancestors"].values())
    return (
        consent["state"] in _NO
        or broader_no
        or not consent["channel_allowed"]
        or any(document[member] for member in ("objection", "restricted", "held"))
    )


def _permits_more(after: RenderedVerdict, before: RenderedVerdict) -> bool:
    if after.verdict.decision != before.verdict.decision:
        return after.verdict.decision
    ranks = [LEVELS.get(rendered.verdict.level or "none", 0) for rendered in (after, before)]
    if ranks[0] != ranks[1]:
        return ranks[0] > ranks[1]
    return after.verdict.decision and _excluded(after) < _excluded(before)


def _excluded(rendered: RenderedVerdict) -> set[str]:
    duties = (duty for duty in rendered.verdict.obligations if duty.type == "exclude_categories")
    return {category for duty in duties for category in duty.properties.get("categories", ())}


def _with(document: _Facts, change: Callable[[_Facts], None]) -> _Facts:
    flipped = deepcopy(document)
    change(flipped)
    return flipped


def _consent(document: _Facts, bundle: LoadedBundle) -> _Flips:
    state, purpose = document["consent"]["state"], document["purpose"]
    if state in _ASKABLE:
        given = _with(document, lambda facts: _give(facts, explicit=False))
        yield {"code": "grant_consent", "purpose": purpose}, given
        for part in _parts(document):
            yield {"code": "grant_consent", "purpose": purpose, "part": part}, given
        for slug, broader in document["ancestors"].items():
            if broader in _ASKABLE:
                yield {"code": "grant_consent", "purpose": slug}, _with_broader(document, slug)
    if state == "given" and document["consent"].get("unagreed_categories"):
        yield {"code": "grant_consent", "purpose": purpose}, _with(document, lambda facts: _give(facts, explicit=False))
    if state in {*_ASKABLE, "given"} and not document["consent"]["explicit"] and _is_special(document, bundle):
        explicit = _with(document, lambda facts: _give(facts, explicit=True))
        yield {"code": "grant_consent", "purpose": purpose, "explicit": True}, explicit


def _give(facts: _Facts, *, explicit: bool) -> None:
    # The person's own limit stays: a yes to the purpose says nothing about it.
    consent = facts["consent"]
    unasked = consent.get("unagreed_categories", [])
    refused = [category for category in consent["refused_categories"] if category not in unasked]
    explicit = explicit or (consent["state"] == "given" and consent["explicit"])
    consent.update(state="given", notice_current=True, explicit=explicit)
    consent.update(refused_categories=refused, unagreed_categories=[])
    consent.pop("unagreed", None)
    # A person who agrees is known from then on.
    facts["subject"]["known"] = True


def _with_broader(document: _Facts, slug: str) -> _Facts:
    flipped = deepcopy(document)
    flipped["ancestors"][slug] = "given"
    flipped["subject"]["known"] = True
    return flipped


def _parts(document: _Facts) -> Iterator[dict[str, str]]:
    """Yield the parts of the purpose the question is about: a narrower yes is enough for it."""
    for dimension in ("channel", "recipient"):
        value = document["processing"][dimension]
        if value is not None and value != "unknown":
            yield {dimension: value}


def _is_special(document: _Facts, bundle: LoadedBundle) -> bool:
    processing = document["processing"]
    return bool(processing["sensitive"]) or not bundle.sensitive.isdisjoint(processing["data_categories"])


def _model(document: _Facts, _bundle: LoadedBundle) -> _Flips:
    model, purpose = document["model"], document["purpose"]
    if model is None or model["status"] not in {*_CURABLE, "live"}:
        return
    named = {"model": model["id"], "version": model["version"]}
    if model["status"] in _CURABLE:
        yield {"code": "approve_model", **named}, _with(document, lambda facts: facts["model"].update(status="live"))
    if purpose not in model["purposes"]:
        purposes = sorted({*model["purposes"], purpose})
        approved = _with(document, lambda facts: facts["model"].update(purposes=purposes))
        yield {"code": "approve_model_for_purpose", **named, "purpose": purpose}, approved
    if model["gates"] != "passed":
        yield {"code": "pass_gates", **named}, _with(document, lambda facts: facts["model"].update(gates="passed"))


def _regions(document: _Facts, bundle: LoadedBundle) -> _Flips:
    for region in sorted(bundle.data["residency"]["processing"]):
        if region != document["processing"]["region"]:
            moved = deepcopy(document)
            moved["processing"]["region"] = region
            yield {"code": "process_in_region", "region": region}, moved


def _instruments(document: _Facts, _bundle: LoadedBundle) -> _Flips:
    expired = document["processing"]["expired_instruments"]
    for slug in expired:
        renewed = deepcopy(document)
        renewed["processing"]["expired_instruments"] = [other for other in expired if other != slug]
        yield {"code": "renew_instrument", "instrument": slug}, renewed


def _less_data(document: _Facts, bundle: LoadedBundle) -> _Flips:
    """Ask for the categories only that the purpose names and the person has not kept back."""
    consent, processing = document["consent"], document["processing"]
    named = bundle.data["purposes"].get(document["purpose"], {}).get("data_categories", ())
    special = () if consent["explicit"] else (*bundle.sensitive, *processing["sensitive"])
    kept_back = {*consent["refused_categories"], *special}
    fit = [c for c in processing["data_categories"] if c in named and c not in kept_back]
    left_out = sorted({*processing["data_categories"]} - {*fit} - {"unknown"})
    if fit and len(fit) < len(processing["data_categories"]):
        less = deepcopy(document)
        less["processing"].update(data_categories=fit, sensitive=[c for c in processing["sensitive"] if c in fit])
        yield {"code": "leave_out_categories", "categories": left_out}, less


def _time(document: _Facts, _bundle: LoadedBundle) -> _Flips:
    if document["time"]["quiet_hours"]:
        yield {"code": "wait_for_quiet_hours_to_end"}, _with(document, lambda f: f["time"].update(quiet_hours=False))
