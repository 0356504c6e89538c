"""Jurisdiction packs as rows of the register: what a row would be, where it differs, adopting a pack.

Decisions read the rows, which officers edit; the ledger reads the packs (how long a yes counts, guardians, which
signals bind). An installation keeps its rows through an upgrade, so the two are compared in the open.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from common.http.problems import NotFound
from consent.register import jurisdictions
from oversight import registers, rows
from oversight.changes import drafting, preview
from oversight.changes.documents import Proposed
from oversight.models import ChangeSet
from policies.models import Jurisdiction, Region

_COMPARED = (
    "consent_default", "consent_days", "reask_days", "age_of_consent", "opt_in_below", "answer_days",
    "extension_days", "answer_unit", "confirm_days", "confirm_unit", "binding_signals", "signal_caps",
    "minor_max_level", "unknown_age_is_adult",
)  # fmt: skip
_TAKEN_OVER = (*_COMPARED, "name", "source", "pack_revision")


@dataclass(frozen=True)
class Difference:
    """One field of a row that differs from its pack."""

    field: str
    here: Any
    pack: Any


@dataclass(frozen=True)
class Differing:
    """A row that differs from its pack."""

    law: Jurisdiction
    differences: list[Difference]


def law_of(pack: jurisdictions.Pack) -> Jurisdiction:
    """Return a pack as officers edit it. Unasked processing is off until an officer switches it on."""
    return Jurisdiction(
        slug=pack.slug,
        name=pack.name,
        source=pack.source,
        consent_default=pack.consent_default,
        consent_days=pack.consent_days,
        reask_days=pack.reask_days,
        age_of_consent=pack.age_of_consent,
        opt_in_below=pack.opt_in_below,
        answer_days=pack.answer.days,
        extension_days=pack.extension.days,
        answer_unit=pack.answer.unit,
        confirm_days=pack.confirm.days if pack.confirm else None,
        confirm_unit=pack.confirm.unit if pack.confirm else Jurisdiction.Unit.CALENDAR,
        binding_signals=list(pack.binding_signals),
        signal_caps=dict(pack.signal_caps),
        minor_max_level=pack.minor_max_level,
        unknown_age_is_adult=pack.unknown_age_is_adult,
        pack_revision=jurisdictions.revision(),
    )


def packs_for(codes: Iterable[str]) -> dict[str, jurisdictions.Pack]:
    """Return every pack by slug, with the combined ones of places whose part is not known."""
    combined = (jurisdictions.match(code).pack for code in codes)
    return {pack.slug: pack for pack in (*jurisdictions.load(), *combined)}


def differing() -> list[Differing]:
    """Return the rows that differ from their packs; rows that officers added have no pack and are not compared."""
    packs = packs_for(Region.objects.values_list("code", flat=True))
    rows = ((law, packs.get(law.slug)) for law in Jurisdiction.objects.all())
    found = (Differing(law, _differences(law, law_of(pack))) for law, pack in rows if pack is not None)
    return [each for each in found if each.differences]


def _differences(law: Jurisdiction, pack: Jurisdiction) -> list[Difference]:
    compared = ((name, getattr(law, name), getattr(pack, name)) for name in _COMPARED)
    return [Difference(name, here, there) for name, here, there in compared if _plain(here) != _plain(there)]


def _plain(value: Any) -> Any:
    return sorted(value) if isinstance(value, list) else value


def propose_takeover(slugs: Iterable[str], *, actor: str) -> ChangeSet:
    """Draft a set that makes rows what their packs say. The level of people who were not asked stays.

    Raises NotFound for a slug without a row or without a pack, NothingChanged.
    """
    packs = packs_for(Region.objects.values_list("code", flat=True))
    register = registers.of_model(Jurisdiction)
    proposed = []
    for slug in slugs:
        law, pack = rows.find_row(register, slug), packs.get(slug)
        if law is None or pack is None:
            raise NotFound(f"{slug}: there is no such law in the register, or no pack of this release is about it.")
        wanted = law_of(pack)
        for name in _TAKEN_OVER:
            setattr(law, name, getattr(wanted, name))
        proposed.append(Proposed(register.name, slug, rows.document_of(register, law)))
    title = f"Take over from the packs of this release: {', '.join(each.key for each in proposed)}"
    return preview.check(drafting.draft(proposed, title=title, actor=actor))
