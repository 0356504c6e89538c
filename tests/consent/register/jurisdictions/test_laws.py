"""Which law protects people where, and what it says: tables a lawyer can read. Engineering readings, not advice."""

import pytest

from consent.models import Level
from consent.register import jurisdictions

# code of the region, law, how it was found, age of consent, default
LAWS = [
    ("AT", "gdpr", "country", 14, "opt_in"),
    ("BE", "gdpr", "country", 13, "opt_in"),
    ("BG", "gdpr", "country", 14, "opt_in"),
    ("CY", "gdpr", "country", 14, "opt_in"),
    ("CZ", "gdpr", "country", 15, "opt_in"),
    ("DE", "gdpr", "country", 16, "opt_in"),
    ("DK", "gdpr", "country", 15, "opt_in"),
    ("EE", "gdpr", "country", 13, "opt_in"),
    ("ES", "gdpr", "country", 14, "opt_in"),
    ("FI", "gdpr", "country", 13, "opt_in"),
    ("FR", "gdpr", "country", 15, "opt_in"),
    ("GR", "gdpr", "country", 15, "opt_in"),
    ("HR", "gdpr", "country", 16, "opt_in"),
    ("HU", "gdpr", "country", 16, "opt_in"),
    ("IE", "gdpr", "country", 16, "opt_in"),
    ("IS", "gdpr", "country", 13, "opt_in"),
    ("IT", "gdpr", "country", 14, "opt_in"),
    ("LI", "gdpr", "country", 16, "opt_in"),
    ("LT", "gdpr", "country", 14, "opt_in"),
    ("LU", "gdpr", "country", 16, "opt_in"),
    ("LV", "gdpr", "country", 13, "opt_in"),
    ("MT", "gdpr", "country", 13, "opt_in"),
    ("NL", "gdpr", "country", 16, "opt_in"),
    ("NO", "gdpr", "country", 13, "opt_in"),
    ("PL", "gdpr", "country", 16, "opt_in"),
    ("PT", "gdpr", "country", 13, "opt_in"),
    ("RO", "gdpr", "country", 16, "opt_in"),
    ("SE", "gdpr", "country", 13, "opt_in"),
    ("SI", "gdpr", "country", 15, "opt_in"),
    ("SK", "gdpr", "country", 16, "opt_in"),
    ("DE-BY", "gdpr", "country", 16, "opt_in"),
    ("ES-CT", "gdpr", "country", 14, "opt_in"),
    ("GB", "uk-gdpr", "country", 13, "opt_in"),
    ("GB-SCT", "uk-gdpr", "country", 13, "opt_in"),
    ("BR", "br", "country", 12, "opt_in"),
    ("BR-SP", "br", "country", 12, "opt_in"),
    ("IN", "in", "country", 18, "opt_in"),
    ("US-CA", "us-ca", "region", 13, "opt_out"),
    ("US-CO", "us-co", "region", 13, "opt_out"),
    ("US-CT", "us-ct", "region", 13, "opt_out"),
    ("US-DE", "us-de", "region", 13, "opt_out"),
    ("US-FL", "us-fl", "region", 13, "opt_out"),
    ("US-IA", "us-ia", "region", 13, "opt_out"),
    ("US-MD", "us-md", "region", 13, "opt_out"),
    ("US-MN", "us-mn", "region", 13, "opt_out"),
    ("US-MT", "us-mt", "region", 13, "opt_out"),
    ("US-NE", "us-ne", "region", 13, "opt_out"),
    ("US-NH", "us-nh", "region", 13, "opt_out"),
    ("US-NJ", "us-nj", "region", 13, "opt_out"),
    ("US-OR", "us-or", "region", 13, "opt_out"),
    ("US-TX", "us-tx", "region", 13, "opt_out"),
    ("US-WY", "us", "region", 13, "opt_out"),
    # Only the country is known, or a part of it that no pack knows: the strictest of its laws.
    ("US", "us-strictest", "strictest", 13, "opt_out"),
    ("US-PR", "us-strictest", "strictest", 13, "opt_out"),
    # Places nobody wrote a pack for, and what is no place at all.
    ("MX", "default", "default", 18, "opt_in"),
    ("CA-QC", "default", "default", 18, "opt_in"),
    ("", "default", "default", 18, "opt_in"),
    ("Germany", "default", "default", 18, "opt_in"),
    ("DE ", "gdpr", "country", 16, "opt_in"),
    ("fr", "gdpr", "country", 15, "opt_in"),
]


@pytest.mark.parametrize(("region", "law", "rule", "age", "default"), LAWS)
def test_the_law_of_a_region(region: str, law: str, rule: str, age: int, default: str) -> None:
    found = jurisdictions.match(region)

    assert (found.code, found.rule) == (law, rule)
    assert found.age_of_consent == jurisdictions.age_of_consent(region) == age
    assert found.pack.consent_default == default


# law, days to answer, days more, days to confirm, days of a yes, days of silence after a no
DEADLINES = [
    ("DE", 28, 61, None, 730, 183),
    ("GB", 28, 61, None, 730, 183),
    ("US-CA", 45, 45, (10, "business"), 730, 365),
    ("US-TX", 45, 45, None, 730, 365),
    ("US-FL", 45, 15, None, 730, 365),
    ("US-IA", 90, 45, None, 730, 365),
    ("US", 45, 15, (10, "business"), 730, 365),
    ("BR", 15, 0, None, 730, 183),
    ("IN", 30, 0, None, 365, 365),
    ("", 10, 0, (10, "calendar"), 365, 365),
]


@pytest.mark.parametrize(("region", "answer", "extension", "confirm", "consent", "reask"), DEADLINES)
def test_the_days_of_a_law(region, answer, extension, confirm, consent, reask) -> None:
    law = jurisdictions.match(region).pack

    assert (law.answer.days, law.extension.days) == (answer, extension)
    assert (law.confirm and (law.confirm.days, law.confirm.unit)) == confirm
    assert (law.consent_days, law.reask_days) == (consent, reask)


# law, binding signals, ceiling while the browser sends Global Privacy Control
SIGNALS = [
    ("DE", ("gpc", "tcf"), "behavioral"),
    ("US-CA", ("gpc", "gpp"), "segment"),
    ("US-NJ", ("gpc", "gpp"), "segment"),
    ("US-WY", (), "behavioral"),
    ("US", ("gpc", "gpp"), "segment"),
    ("BR", (), "behavioral"),
    ("", ("gpc", "gpp", "tcf"), "none"),
]


@pytest.mark.parametrize(("region", "binding", "ceiling"), SIGNALS)
def test_the_signals_of_a_law(region: str, binding: tuple[str, ...], ceiling: str) -> None:
    law = jurisdictions.match(region).pack

    assert law.binding_signals == binding
    assert law.cap("gpc") == ceiling


# where, age band, does somebody else have to agree
GUARDIANS = [
    ("DE", "child", True),
    ("DE", "minor", False),
    ("DE", "adult", False),
    ("DE", "unknown", False),
    ("US-CA", "child", True),
    ("US-CA", "minor", False),
    ("IN", "child", True),
    ("IN", "minor", True),
    ("IN", "adult", False),
    ("IN", "unknown", True),
    ("", "minor", True),
    ("", "unknown", True),
    ("", "adult", False),
    ("DE", "an elder", False),
]


@pytest.mark.parametrize(("region", "age_band", "needed"), GUARDIANS)
def test_who_needs_a_guardian(region: str, age_band: str, needed: bool) -> None:
    assert jurisdictions.needs_guardian(region, age_band) is needed


def test_nobody_under_age_is_profiled_anywhere() -> None:
    assert {pack.minor_max_level for pack in jurisdictions.load()} == {"none"}


@pytest.mark.parametrize(("region", "purpose_days", "days"), [("DE", 30, 30), ("DE", 3650, 730), ("IN", 730, 365)])
def test_a_consent_lasts_as_long_as_purpose_and_law_both_allow(region: str, purpose_days: int, days: int) -> None:
    assert jurisdictions.consent_days(region, purpose_days) == days


def test_what_is_kept_with_a_consent_names_the_rule_and_its_revision() -> None:
    assert jurisdictions.match("us-ca", "adult").proof() == {
        "law": "us-ca",
        "region": "US-CA",
        "rule": "region",
        "packs": jurisdictions.revision(),
    }


def test_packs_know_the_levels_of_the_register() -> None:
    assert list(jurisdictions.pack.LEVELS) == Level.values
