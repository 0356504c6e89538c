"""Facts of logged decisions as other registers would make them: the members that registers alone determine. Pure.

A fact sheet was built over the registers of its day. What of it follows from a person's record is left as it is, with
one exception that needs no record: a yes of the log covers at most what its purpose said then, in the revision that
answered. What a candidate's purpose says beyond that is not agreed to yet; who has answered again since cannot be
known from the log, so it counts as not agreed, on both sides of the comparison.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Self

import msgspec

from consent.register.terms import EVERYTHING, Beyond, Coverage, beyond
from policies.bundles import loading
from policies.bundles.loading import LoadedBundle
from policies.decisions.agreements import ASK_AGAIN, STANDS_AGAINST, limited_level, new_parts
from policies.decisions.facts import UNKNOWN, model_in, region_in
from policies.engines.replayer import Rules

Sheet = dict[str, Any]


@dataclass(frozen=True)
class Refitting:
    """Registers that facts are refitted over. ``agreed``: purposes of the revision that the yeses were logged under."""

    bundle: LoadedBundle
    agreed: Mapping[str, Any]
    ended: list[str]
    asked_anew: frozenset[str]
    now: float

    @classmethod
    def over(cls, rules: Rules, *, agreed: Rules, now: float) -> Self:
        """Prepare the registers of ``rules``; instruments and gates end as of ``now`` (epoch seconds)."""
        bundle = loading.load(rules.revision, rules.policies, rules.data_json)
        ended = [slug for slug, end in bundle.instrument_ends if end <= now]
        return cls(bundle, {}, ended, frozenset(), now).agreed_in(msgspec.json.decode(agreed.data_json)["purposes"])

    def agreed_in(self, purposes: Mapping[str, Any]) -> Self:
        """Return the same registers for yeses that were given to what these purposes said."""
        asked_anew = frozenset(
            slug
            for slug, purpose in self.bundle.purposes.items()
            if slug in purposes and purpose.required_notice > purposes[slug].get("required_notice", 0)
        )
        return replace(self, agreed=purposes, asked_anew=asked_anew)


def refit(facts: bytes, over: Refitting) -> bytes:
    """Return the facts over other registers: the same bytes where these make no difference."""
    sheet = msgspec.json.decode(facts)
    try:
        made = _refitted(sheet, over)
    except (KeyError, TypeError, AttributeError):  # malformed facts were logged, and are answered as they are
        return facts
    return facts if made == sheet else msgspec.json.encode(made)


def _refitted(sheet: Sheet, over: Refitting) -> Sheet:
    made = {
        **sheet,
        "purpose": sheet["purpose"] if sheet["purpose"] in over.bundle.purposes else UNKNOWN,
        "subject": _subject(sheet["subject"], over),
        "processing": _processing(sheet["processing"], over),
        "model": _model(sheet["model"], over),
        "ancestors": _ancestors(sheet, over),
    }
    more = _beyond(made, over)
    return made if more is None else {**made, "consent": {**made["consent"], **_limits(made, more, over)}}


def _subject(subject: Sheet, over: Refitting) -> Sheet:
    region = region_in(subject["region"], over.bundle)
    jurisdiction = over.bundle.data["residency"]["jurisdiction_of"].get(region, UNKNOWN)
    return {**subject, "region": region, "jurisdiction": jurisdiction}


def _processing(processing: Sheet, over: Refitting) -> Sheet:
    bundle, recipient, region = over.bundle, processing["recipient"], processing["region"]
    categories = sorted({c if c in bundle.categories else UNKNOWN for c in processing["data_categories"]})
    return {
        **processing,
        "region": region if region in bundle.data["residency"]["processing"] else UNKNOWN,
        "recipient": recipient if recipient is None or recipient in bundle.recipients else UNKNOWN,
        "data_categories": categories,
        "sensitive": [c for c in categories if c in bundle.sensitive],
        "expired_instruments": over.ended,
    }


def _model(model: Sheet | None, over: Refitting) -> Mapping[str, Any] | None:
    if model is None or model["id"] == UNKNOWN:
        return model
    # Who was in the share of a canary is in it still: the log does not say who it was.
    name = f"{model['id']}@{model['version']}"
    return model_in(name, over.bundle, over.now, is_its_person=model["status"] == "live")


def _ancestors(sheet: Sheet, over: Refitting) -> dict[str, str]:
    purpose = over.bundle.purposes.get(sheet["purpose"])
    if purpose is None:
        return {}
    states = {slug: sheet["ancestors"].get(slug, "never_asked") for slug in purpose.ancestors}
    return {slug: _asked_anew(slug, state, over) for slug, state in states.items()}


def _asked_anew(slug: str, state: str, over: Refitting) -> str:
    return str(ASK_AGAIN["state"]) if state == "given" and slug in over.asked_anew else state


def _beyond(sheet: Sheet, over: Refitting) -> Beyond | None:
    """Return what the candidate's purpose says beyond the yes that counts, its own or that to the nearest broader."""
    slug, state, purposes = sheet["purpose"], sheet["consent"]["state"], over.bundle.data["purposes"]
    if slug not in purposes:
        return None
    said = Coverage.read(purposes[slug])
    if state == "given":
        if slug in over.asked_anew:
            return EVERYTHING
        return beyond(said, Coverage.read(over.agreed[slug])) if slug in over.agreed else None
    broader = _lender(sheet["ancestors"]) if state == "never_asked" else None
    if broader is None:
        return None
    lending = purposes[slug].get("lending", purposes[slug]["parents"])
    if broader not in lending or broader not in over.agreed:
        return EVERYTHING
    return beyond(said, Coverage.read(over.agreed[broader]))


def _lender(ancestors: Mapping[str, str]) -> str | None:
    """Return the nearest broader purpose whose yes counts, if one does."""
    if not STANDS_AGAINST.isdisjoint(ancestors.values()):
        return None
    return next((slug for slug, state in ancestors.items() if state == "given"), None)


def _limits(sheet: Sheet, more: Beyond, over: Refitting) -> Mapping[str, Any]:
    """Return the facts about consent that change as ``more`` was not agreed to."""
    consent = sheet["consent"]
    if more.everything:
        return ASK_AGAIN
    action, processing = sheet["action"], sheet["processing"]
    if about := new_parts(more, action, processing["recipient"], processing["channel"]):
        return {**ASK_AGAIN, "unagreed": about}
    asked = processing["data_categories"]
    said = over.bundle.purposes[sheet["purpose"]].data_categories
    named = said.intersection(asked or said)
    refused, new = named.intersection(consent["refused_categories"]), named & more.data_categories
    if new - refused and new | refused == named:
        return {**ASK_AGAIN, "unagreed": sorted(new - refused)}
    return {
        **limited_level(more, consent, action, sheet["requested_level"]),
        "refused_categories": sorted(new.union(consent["refused_categories"])),
        "unagreed_categories": sorted((new - refused).union(consent["unagreed_categories"])),
    }
