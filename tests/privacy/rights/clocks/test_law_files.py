"""The laws' files are read strictly."""

from pathlib import Path

import pytest

from consent.register.jurisdictions import UnreadablePack
from privacy.rights.clocks import laws
from privacy.rights.clocks.holidays import read_business_days, read_holidays

CALIFORNIA = (Path(laws.__file__).parent / "laws" / "us-ca.toml").read_text()


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ('name = "', "name = ", "us-ca: "),
        ("business_days = 15", "fortnights = 15", "'length' is no length"),
        ("business_days = 15", "business_days = 0", "'length' is no length"),
        ("business_days = 15", "business_days = true", "'length' is no length"),
        ("{ business_days = 15 }", "{ days = 15, months = 1 }", "'length' is no length"),
        ('"opt_out"', '"opt_up"', "opt_up"),
        ('"opt_out"', '"access"', "'access' has two clocks"),
        ('"sat"', '"caturday"', "no day of the week"),
        ('certainty = "text"', 'certainty = "gossip"', "gossip"),
        ("confirm =", "confirmed =", "confirmed"),
    ],
)
def test_a_file_that_is_no_law_is_refused_with_the_reason(old: str, new: str, complaint: str) -> None:
    assert old in CALIFORNIA

    with pytest.raises(UnreadablePack, match=complaint):
        laws.read(CALIFORNIA.replace(old, new, 1), "us-ca")


def test_holidays_are_read_by_region(tmp_path: Path) -> None:
    path = tmp_path / "holidays.toml"
    path.write_text('de = [2026-12-25]\n"*" = [2027-01-01]\n')

    assert {place: len(days) for place, days in read_holidays(path).items()} == {"DE": 1, "*": 1}


@pytest.mark.parametrize(
    ("text", "complaint"),
    [("DE = 2026-12-25", "DE is no list"), ('DE = ["2026-12-25"]', "DE is no list"), ("DE =", "is not TOML")],
)
def test_holidays_that_cannot_be_read_are_refused(tmp_path: Path, text: str, complaint: str) -> None:
    path = tmp_path / "holidays.toml"
    path.write_text(text)

    with pytest.raises(ValueError, match=complaint):
        read_holidays(path)
    with pytest.raises(ValueError, match="cannot be read"):
        read_holidays(tmp_path / "none.toml")


def test_business_days_are_the_laws_or_named() -> None:
    assert read_business_days("law") is None
    assert read_business_days("mon, tue") == {"mon", "tue"}
    with pytest.raises(ValueError, match="days of the week"):
        read_business_days("monday")
