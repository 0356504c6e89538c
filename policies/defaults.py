"""The rules a new installation starts with: strict, few, and meant to be edited in the admin."""

from django.conf import settings
from django.db import transaction

from policies import bundles
from policies.certification import read_certification
from policies.models import (
    ActiveBundle,
    Jurisdiction,
    ProcessingRegion,
    Region,
    ResidencyRule,
    SensitiveCategory,
    TransferInstrument,
)

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
# code -> name, residency group, jurisdiction, time zone
_ELSEWHERE = {
    "GB": ("United Kingdom", "uk", "uk-gdpr", "Europe/London"),
    "US": ("United States", "us", "us", "America/New_York"),
    "US-CA": ("California", "us", "us-ca", "America/Los_Angeles"),
    "MX": ("Mexico", "mx", "default", "America/Mexico_City"),
    "BR": ("Brazil", "br", "default", "America/Sao_Paulo"),
    "IN": ("India", "in", "default", "Asia/Kolkata"),
}
# slug -> name, caps of signals, minors' cap, whether somebody of unknown age counts as adult
_JURISDICTIONS: dict[str, tuple[str, dict[str, str], str, bool]] = {
    "gdpr": ("GDPR (EEA)", {"gpc": "behavioral", "gpp": "behavioral"}, "none", True),
    "uk-gdpr": ("UK GDPR", {"gpc": "behavioral", "gpp": "behavioral"}, "none", True),
    "us": ("United States", {"gpc": "behavioral", "gpp": "behavioral"}, "none", True),
    "us-ca": ("California (CCPA)", {"gpc": "segment", "gpp": "segment"}, "none", True),
    "default": ("Strictest default", {"gpc": "none", "gpp": "none"}, "none", True),
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


@transaction.atomic
def ensure_defaults() -> bool:
    """Fill an empty register and bring a first bundle into force; return whether anything was missing.

    Never touches a register that officers have begun to edit. A release with other Rego files gets a new bundle, and so
    does an installation that is told to certify, or no longer to (the setting ``CERTIFICATION``).
    """
    fresh = not Region.objects.exists()
    if fresh:
        _fill()
    active = ActiveBundle.objects.select_related("bundle").first()
    certification = settings.CERTIFICATION
    policies = {**bundles.read_policies(), **(read_certification()[0] if certification else {})}
    if fresh or active is None or active.bundle.policies != policies:
        reason = "defaults of this release" if fresh else "policies of this release"
        reason += " and of the certification scenario" if certification else ""
        bundles.publish(reason, "system", certification=certification)
        return True
    return False


def _fill() -> None:
    for slug, (name, caps, minors, unknown_is_adult) in _JURISDICTIONS.items():
        Jurisdiction.objects.get_or_create(
            slug=slug,
            defaults={
                "name": name,
                "signal_caps": caps,
                "minor_max_level": minors,
                "unknown_age_is_adult": unknown_is_adult,
            },
        )
    laws = {law.slug: law for law in Jurisdiction.objects.all()}
    regions = {code: (name, "eea", "gdpr", zone) for code, (name, zone) in _EEA.items()} | _ELSEWHERE
    Region.objects.bulk_create(
        Region(code=code, name=name, group=group, jurisdiction=laws[law], time_zone=zone)
        for code, (name, group, law, zone) in regions.items()
    )
    ProcessingRegion.objects.bulk_create(ProcessingRegion(slug=s, group=g) for s, g in _PROCESSING.items())
    SensitiveCategory.objects.bulk_create(SensitiveCategory(slug=s, name=n) for s, n in _SENSITIVE.items())
    instruments = {slug: TransferInstrument.objects.create(slug=slug, name=name) for slug, name in _INSTRUMENTS.items()}
    ResidencyRule.objects.bulk_create(
        ResidencyRule(
            slug=f"{subject}-in-{processing}",
            subject_group=subject,
            processing_group=processing,
            data_categories=["*"],
            instrument=instruments[instrument] if instrument else None,
        )
        for subject, processing, instrument in _RULES
    )
