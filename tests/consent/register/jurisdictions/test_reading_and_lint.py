"""Packs are read strictly, and lint finds what is wrong with them."""

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from consent.register import jurisdictions
from consent.register.jurisdictions import UnreadablePack, lint
from consent.register.jurisdictions.pack import ConsentDefault, Deadline, read, revision_of

FILES = Path(jurisdictions.__file__).parent / "packs"
CALIFORNIA = (FILES / "us-ca.toml").read_text()
TODAY = date(2026, 11, 21)


def law(slug: str) -> jurisdictions.Pack:
    return next(pack for pack in jurisdictions.load() if pack.slug == slug)


def errors(*changed: jurisdictions.Pack) -> list[tuple[str, str]]:
    """Lint this release's packs with some replaced by others of the same name."""
    named = {pack.slug: pack for pack in jurisdictions.load()} | {pack.slug: pack for pack in changed}
    return [(finding.kind, finding.where) for finding in lint(tuple(named.values())) if finding.is_error]


def test_the_packs_of_this_release_hold_no_error() -> None:
    assert errors() == []


def test_what_is_true_and_better_known_is_a_note() -> None:
    findings = lint(known_regions=["DE", "MX", "US", "CA-QC"], today=TODAY)

    assert {(finding.kind, finding.where) for finding in findings} == {
        ("date", "in"),
        ("gap", "CA-QC"),
        ("gap", "MX"),
        ("strictest", "US"),
    }
    assert not any(finding.is_error for finding in findings)


FAULTS = [
    ("overlap", "US-CA", lambda: replace(law("us-tx"), regions=("US-TX", "US-CA"))),
    ("gap", "SK", lambda: replace(law("gdpr"), regions=tuple(set(law("gdpr").regions) - {"SK"}))),
    ("override", "gdpr", lambda: replace(law("gdpr"), ages_by_region={"CH": 16})),
    ("level", "br", lambda: replace(law("br"), minor_max_level="telepathic")),
    ("level", "br", lambda: replace(law("br"), signal_caps={"gpc": "some"})),
    ("signal", "br", lambda: replace(law("br"), binding_signals=("dnt",))),
    ("signal", "us-ca", lambda: replace(law("us-ca"), signal_caps={"gpc": "individual", "gpp": "none"})),
    ("age", "br", lambda: replace(law("br"), age_of_consent=0)),
    ("age", "br", lambda: replace(law("br"), age_of_consent=21)),
    ("age", "us", lambda: replace(law("us"), opt_in_below=None)),
    ("date", "br", lambda: replace(law("br"), effective_from=date(1, 1, 1))),
    ("days", "br", lambda: replace(law("br"), reask_days=0)),
    ("days", "us-ca", lambda: replace(law("us-ca"), confirm=Deadline(90))),
    ("region", "br", lambda: replace(law("br"), regions=("br",))),
    ("region", "br", lambda: replace(law("br"), regions=())),
    ("default", "default", lambda: replace(law("default"), reask_days=30)),
    ("default", "default", lambda: replace(law("default"), consent_default=ConsentDefault.OPT_OUT, opt_in_below=18)),
]


@pytest.mark.parametrize(("kind", "where", "fault"), FAULTS)
def test_lint_finds_a_seeded_fault(kind, where, fault) -> None:
    assert (kind, where) in errors(fault())


def test_lint_finds_that_there_is_no_default() -> None:
    without = tuple(pack for pack in jurisdictions.load() if pack.slug != "default")

    assert [(f.kind, f.where) for f in lint(without, known_regions=["MX"])] == [("gap", "default")]


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("reask_days = 365", "", "'reask_days' is missing"),
        ("reask_days = 365", "reask_days = true", "'reask_days' is no int"),
        ("reask_days = 365", 'reask_days = "365"', "'reask_days' is no int"),
        ("reask_days = 365", "reask_days = 365\nre_ask = 1", "nobody knows re_ask"),
        ('"opt_out"', '"opt_maybe"', "opt_maybe"),
        ('"business"', '"working"', "working"),
        ('["US-CA"]', "[1]", "'regions' is no list of texts"),
        ('gpc = "segment"', "gpc = 1", "'gpc' is no str"),
        ('slug = "us-ca"', 'slug = "us-cal"', "the slug is 'us-cal', not the file's name"),
        ("effective_from = 2020-01-01", 'effective_from = "2020-01-01"', "'effective_from' is no date"),
        ('name = "', "name = ", "us-ca: "),
    ],
)  # fmt: skip
def test_a_file_that_is_no_pack_is_refused_with_the_reason(old: str, new: str, complaint: str) -> None:
    assert old in CALIFORNIA

    with pytest.raises(UnreadablePack, match=complaint):
        read(CALIFORNIA.replace(old, new, 1), "us-ca")


def test_the_revision_changes_with_what_the_packs_say_and_not_with_their_layout() -> None:
    packs = jurisdictions.load()
    laid_out = read("# another comment\n\n" + CALIFORNIA, "us-ca")
    changed = read(CALIFORNIA.replace("days = 45", "days = 44", 1), "us-ca")

    def with_california(pack: jurisdictions.Pack) -> tuple[jurisdictions.Pack, ...]:
        return (pack, *(each for each in packs if each.slug != "us-ca"))

    assert revision_of(packs) == jurisdictions.revision()
    assert revision_of(with_california(laid_out)) == jurisdictions.revision()
    assert revision_of(with_california(changed)) != jurisdictions.revision()
