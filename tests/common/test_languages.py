"""A language is found as programs and browsers write it, and one that a person cannot read is not chosen."""

import pytest

from common import languages


@pytest.mark.parametrize(
    ("tag", "found"),
    [
        ("de-DE-1901", ["de-de-1901", "de-de", "de"]),
        ("en_GB", ["en-gb", "en"]),
        ("zh-Hant-TW", ["zh-hant-tw", "zh-hant", "zh"]),
        ("de-DE-u-co-phonebk", ["de-de-u-co-phonebk", "de-de-u-co", "de-de", "de"]),
        ("EN", ["en"]),
    ],
)
def test_lookup_cuts_a_tag_from_its_end(tag: str, found: list[str]) -> None:
    # RFC 4647, section 3.4: a singleton goes with what it introduces.
    assert languages.lookup(tag) == found


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("de;q=0", "en"),
        ("de;q=0, fr;q=0.1", "fr"),
        ("de-CH-1996", "de"),
        ("zh-Hant-TW,zh;q=0.9,de;q=0.5", "de"),
        ("*", "en"),
        ("*, de", "de"),
        ("es-419", "es"),
        ("", "en"),
    ],
)
def test_accepted_is_the_first_that_is_offered(header: str, language: str) -> None:
    assert languages.accepted(header) == language
