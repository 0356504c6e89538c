"""Default rules of a new installation: strict, few, and meant to be edited in the admin."""

import json

from django.conf import settings
from django.db import transaction

from common.canonical import canonical_json
from common.levels import LEVELS
from consent.models import DataCategory
from consent.register import jurisdictions
from consent.register.jurisdictions.clocks import STATE_ZONES
from model_registry.gates import shipped as shipped_gates
from oversight.changes import applying
from policies.bundles import building, loading, publishing
from policies.models import (
    ActiveBundle,
    Jurisdiction,
    Policy,
    PolicyActivation,
    ProcessingRegion,
    Region,
    ResidencyRule,
    SensitiveCategory,
    TransferInstrument,
)
from policies.registers.jurisdiction_rows import law_of, packs_for

_EEA = {
    "AT": ("Austria", "Europe/Vienna"), "BE": ("Belgium", "Europe/Brussels"), "BG": ("Bulgaria", "Europe/Sofia"),
    "CY": ("Cyprus", "Asia/Nicosia"), "CZ": ("Czechia", "Europe/Prague"), "DE": ("Germany", "Europe/Berlin"),
    "DK": ("Denmark", "Europe/Copenhagen"), "EE": ("Estonia", "Europe/Tallinn"), "ES": ("Spain", "Europe/Madrid"),
    "FI": ("Finland", "Europe/Helsinki"), "FR": ("France", "Europe/Paris"), "GR": ("Greece", "Europe/Athens"),
    "HR": ("Croatia", "Europe/Zagreb"), "HU": ("Hungary", "Europe/Budapest"), "IE": ("Ireland", "Europe/Dublin"),
    "IS": ("Iceland", "Atlantic/Reykjavik"), "IT": ("Italy", "Europe/Rome"),
    "LI": ("Liechtenstein", "Europe/Vaduz"), "LT": ("Lithuania", "Europe/Vilnius"),
    "LU": ("Luxembourg", "Europe/Luxembourg"), "LV": ("Latvia", "Europe/Riga"), "MT": ("Malta", "Europe/Malta"),
    "NL": ("Netherlands", "Europe/Amsterdam"), "NO": ("Norway", "Europe/Oslo"), "PL": ("Poland", "Europe/Warsaw"),
    "PT": ("Portugal", "Europe/Lisbon"), "RO": ("Romania", "Europe/Bucharest"),
    "SE": ("Sweden", "Europe/Stockholm"), "SI": ("Slovenia", "Europe/Ljubljana"),
    "SK": ("Slovakia", "Europe/Bratislava"),
}  # fmt: skip
_STATES = {
    "US-AK": "Alaska", "US-AL": "Alabama", "US-AR": "Arkansas", "US-AZ": "Arizona", "US-CA": "California",
    "US-CO": "Colorado", "US-CT": "Connecticut", "US-DC": "District of Columbia", "US-DE": "Delaware",
    "US-FL": "Florida", "US-GA": "Georgia", "US-HI": "Hawaii", "US-IA": "Iowa", "US-ID": "Idaho", "US-IL": "Illinois",
    "US-IN": "Indiana", "US-KS": "Kansas", "US-KY": "Kentucky", "US-LA": "Louisiana", "US-MA": "Massachusetts",
    "US-MD": "Maryland", "US-ME": "Maine", "US-MI": "Michigan", "US-MN": "Minnesota", "US-MO": "Missouri",
    "US-MS": "Mississippi", "US-MT": "Montana", "US-NC": "North Carolina", "US-ND": "North Dakota",
    "US-NE": "Nebraska", "US-NH": "New Hampshire", "US-NJ": "New Jersey", "US-NM": "New Mexico", "US-NV": "Nevada",
    "US-NY": "New York", "US-OH": "Ohio", "US-OK": "Oklahoma", "US-OR": "Oregon", "US-PA": "Pennsylvania",
    "US-RI": "Rhode Island", "US-SC": "South Carolina", "US-SD": "South Dakota", "US-TN": "Tennessee",
    "US-TX": "Texas", "US-UT": "Utah", "US-VA": "Virginia", "US-VT": "Vermont", "US-WA": "Washington",
    "US-WI": "Wisconsin", "US-WV": "West Virginia", "US-WY": "Wyoming",
}  # fmt: skip
# code -> name, residency group, time zone
_ELSEWHERE = {
    "GB": ("United Kingdom", "uk", "Europe/London"),
    "US": ("United States", "us", "America/New_York"),
    "MX": ("Mexico", "mx", "America/Mexico_City"),
    "BR": ("Brazil", "br", "America/Sao_Paulo"),
    "IN": ("India", "in", "Asia/Kolkata"),
}
_PROCESSING = {"eu-central": "eea", "eu-west": "eea", "uk-south": "uk", "us-east": "us", "us-west": "us"}
# subject group, processing group, instrument
_RULES = [
    ("eea", "eea", None),
    ("eea", "uk", "eu-uk-adequacy"),
    ("uk", "uk", None),
    ("uk", "eea", "uk-eea-adequacy"),
    ("us", "us", None),
    ("us", "eea", None),
    ("mx", "eea", None),
    ("mx", "us", None),
    ("br", "eea", None),
    ("in", "eea", None),
]
_INSTRUMENTS = {
    "eu-uk-adequacy": "Adequacy decision, EU to United Kingdom",
    "uk-eea-adequacy": "Adequacy regulations, United Kingdom to EEA",
}
_SENSITIVE = {
    "health": "Health",
    "religion": "Religion or belief",
    "ethnicity": "Ethnic origin",
    "political_opinion": "Political opinion",
    "sexual_orientation": "Sexual orientation",
    "biometrics": "Biometrics",
    "genetics": "Genetics",
    "union_membership": "Trade union membership",
}

# slug -> key of fideslang, term of the DPV; people read the names of these in their own language
_DATA = {
    "views": ("user.behavior.browsing_history", "BrowsingBehaviour"),
    "purchases": ("user.behavior.purchase_history", "Purchase"),
    "ratings": ("user.behavior", "Opinion"),
    "email_address": ("user.contact.email", "EmailAddress"),
    "postal_address": ("user.contact.address", "PhysicalAddress"),
    "health": ("user.health_and_medical", "Health"),
    "religion": ("user.demographic.religious_belief", "Religion"),
    "ethnicity": ("user.demographic.race_ethnicity", "EthnicOrigin"),
    "political_opinion": ("user.demographic.political_opinion", "PoliticalOpinion"),
    "sexual_orientation": ("user.demographic.sexual_orientation", "SexualPreference"),
    "biometrics": ("user.biometric", "Biometric"),
    "genetics": ("user.health_and_medical.genetic", "Genetic"),
    "union_membership": ("", "TradeUnionMembership"),
}


@transaction.atomic
def ensure_defaults() -> bool:
    """Fill an empty register and bring a first bundle into force; return whether anything was missing.

    Never touches a register that officers have begun to edit. A release with other Rego files gets a new bundle unless
    the installation has a policy of its own in force, and so does an installation whose setting ``CERTIFICATION`` has
    changed.
    """
    fresh = not Region.objects.exists()
    if fresh:
        _fill()
    lacks_gates = shipped_gates.are_missing()
    if lacks_gates:
        with applying.apply_shipped(title="Release gates of this release", actor=publishing.SYSTEM):
            shipped_gates.fill(actor=publishing.SYSTEM)
    certification = settings.CERTIFICATION
    shipped = publishing.shipped_policy()
    is_due = _is_due(shipped)
    active = ActiveBundle.objects.exists()
    is_whole = active and publishing.has_certification() == certification and not _lacks_terms()
    if not (fresh or is_due or lacks_gates) and is_whole:
        return False
    reason = "defaults of this release" if fresh else "policies of this release"
    reason += " and of the certification scenario" if certification else ""
    if is_due:
        kind = PolicyActivation.Kind.RELEASE
        publishing.bring_into_force(
            shipped, kind=kind, reason=reason, actor=publishing.SYSTEM, certification=certification
        )
    else:
        publishing.publish(reason, publishing.SYSTEM, certification=certification)
    return True


def _lacks_terms() -> bool:
    """Return whether the revision in force was built before terms were frozen, and would stretch older consents."""
    data = json.loads(ActiveBundle.objects.values_list("bundle__data", flat=True).get())["purposes"]
    built = building.build_data()["purposes"]
    members = [(slug, member) for slug in built for member in ("agreed", "lending")]
    return any(built[slug].get(member) != data.get(slug, {}).get(member) for slug, member in members)


def _is_due(shipped: Policy) -> bool:
    """Return whether the shipped policy replaces the one in force: neither an own one, nor one rolled back to."""
    last = publishing.last_activation()
    if last is None or last.policy_id == shipped.digest:
        return last is None
    if last.kind == PolicyActivation.Kind.RELEASE:
        return True
    return last.policy.author == publishing.SYSTEM and not shipped.activations.exists()


def bundle_without_database() -> loading.LoadedBundle:
    """Return the policies of this release over these rules alone; the database is not used."""
    packs, matched = _packs()
    laws = {pack.slug: law_of(pack) for pack in packs.values()}
    instruments = _instruments()
    data = {
        "schema": 1,
        "levels": LEVELS,
        "purposes": {},
        "sensitive_categories": sorted(_SENSITIVE),
        "residency": building.residency_of(
            regions=_regions(laws, matched),
            processing=_PROCESSING,
            rules=_rules({instrument.slug: instrument for instrument in instruments}),
            instruments=instruments,
        ),
        "jurisdictions": {},
    }
    policies = publishing.read_policies()
    return loading.load(publishing.revision_of(policies, data), policies, canonical_json(data).decode())


def _fill() -> None:
    with applying.apply_shipped(title="Defaults of this release", actor=publishing.SYSTEM):
        _write()


def _write() -> None:
    packs, matched = _packs()
    Jurisdiction.objects.bulk_create((law_of(pack) for pack in packs.values()), ignore_conflicts=True)
    laws = {law.slug: law for law in Jurisdiction.objects.all()}
    Region.objects.bulk_create(_regions(laws, matched))
    ProcessingRegion.objects.bulk_create(ProcessingRegion(slug=s, group=g) for s, g in _PROCESSING.items())
    SensitiveCategory.objects.bulk_create(SensitiveCategory(slug=s, name=n) for s, n in _SENSITIVE.items())
    DataCategory.objects.bulk_create(
        (DataCategory(slug=s, name=s.replace("_", " "), fideslang_key=k, dpv_term=t) for s, (k, t) in _DATA.items()),
        ignore_conflicts=True,  # the kinds of purposes that an upgrade found are there already
    )
    instruments = TransferInstrument.objects.bulk_create(_instruments())
    ResidencyRule.objects.bulk_create(_rules({instrument.slug: instrument for instrument in instruments}))


def _packs() -> tuple[dict[str, jurisdictions.Pack], dict[str, jurisdictions.Matched]]:
    """Return the packs by slug, and what applies in each place."""
    matched = {code: jurisdictions.match(code) for code in _places()}
    return packs_for(_places()), matched


def _places() -> dict[str, tuple[str, str, str]]:
    return {
        **{code: (name, "eea", zone) for code, (name, zone) in _EEA.items()},
        **{code: (name, "us", STATE_ZONES[code]) for code, name in _STATES.items()},
        **_ELSEWHERE,
    }


def _regions(laws: dict[str, Jurisdiction], matched: dict[str, jurisdictions.Matched]) -> list[Region]:
    return [
        Region(
            code=code,
            name=name,
            group=group,
            jurisdiction=laws[matched[code].code],
            age_of_consent=matched[code].pack.ages_by_region.get(code),
            time_zone=zone,
        )
        for code, (name, group, zone) in _places().items()
    ]


def _instruments() -> list[TransferInstrument]:
    return [TransferInstrument(slug=slug, name=name) for slug, name in _INSTRUMENTS.items()]


def _rules(instruments: dict[str, TransferInstrument]) -> list[ResidencyRule]:
    return [
        ResidencyRule(
            slug=f"{subject}-in-{processing}",
            subject_group=subject,
            processing_group=processing,
            data_categories=["*"],
            instrument=instruments[instrument] if instrument else None,
        )
        for subject, processing, instrument in _RULES
    ]
