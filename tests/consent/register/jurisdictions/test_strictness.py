"""A combined law protects at least as much as each it is made of; finding one never fails."""

from datetime import date

from hypothesis import given, settings
from hypothesis import strategies as st

from consent.register import jurisdictions
from consent.register.jurisdictions.matching import find
from consent.register.jurisdictions.pack import LEVELS, SIGNALS, ConsentDefault, Deadline, Pack, Unit
from consent.register.jurisdictions.strictness import laxer_fields, strictest

levels = st.sampled_from(LEVELS)
days = st.integers(1, 1000)
ages = st.integers(1, 18)
deadlines = st.builds(Deadline, days, st.sampled_from(Unit))
REGIONS = ["CA", "CA-QC", "CA-ON", "DE", "DE-BY", "US-CA"]


@st.composite
def packs(draw: st.DrawFn) -> Pack:
    default = draw(st.sampled_from(ConsentDefault))
    return Pack(
        slug=draw(st.text("abc", min_size=1, max_size=3)),
        name="A law",
        source="A source",
        effective_from=date(2020, 1, 1),
        regions=tuple(draw(st.lists(st.sampled_from(REGIONS), unique=True))),
        consent_default=default,
        consent_days=draw(days),
        reask_days=draw(days),
        age_of_consent=draw(ages),
        opt_in_below=draw(ages) if default is ConsentDefault.OPT_OUT else None,
        minor_max_level=draw(levels),
        unknown_age_is_adult=draw(st.booleans()),
        answer=draw(deadlines),
        extension=draw(deadlines),
        confirm=draw(st.none() | deadlines),
        binding_signals=tuple(draw(st.lists(st.sampled_from(SIGNALS), unique=True))),
        signal_caps=draw(st.dictionaries(st.sampled_from(SIGNALS), levels)),
        ages_by_region=draw(st.dictionaries(st.sampled_from(REGIONS), ages)),
    )


@given(laws=st.lists(packs(), min_size=1, max_size=5))
def test_the_strictest_is_at_least_as_strict_as_each(laws: list[Pack]) -> None:
    combined = strictest(laws, slug="x", name="X")

    assert [laxer_fields(combined, than) for than in laws] == [[] for _ in laws]


@given(law=packs())
def test_the_strictest_of_one_law_is_that_law_at_its_highest_age(law: Pack) -> None:
    combined = strictest([law], slug="x", name="X")

    assert set(laxer_fields(law, combined)) <= {"age_of_consent"}


@given(laws=st.lists(packs(), max_size=4), region=st.sampled_from([*REGIONS, "CA-BC", "FR", ""]))
def test_a_place_with_several_laws_is_protected_as_much_as_by_each(laws: list[Pack], region: str) -> None:
    default = next(pack for pack in jurisdictions.load() if pack.slug == "default")

    rule, found = find(region, [*laws, default])

    exact = [law for law in laws if region in law.regions]
    if rule == "strictest":
        assert not any(laxer_fields(found, law) for law in exact)
    elif exact:
        assert exact == [found]


@settings(max_examples=300)
@given(region=st.text(max_size=12) | st.from_regex(r"[A-Z]{2}(-[A-Z0-9]{1,3})?", fullmatch=True), band=st.text())
def test_finding_the_law_never_fails(region: str, band: str) -> None:
    found = jurisdictions.match(region, band)

    assert found.revision == jurisdictions.revision()
    assert 0 < found.age_of_consent <= 18
    assert found.pack.minor_max_level == "none"


def test_the_default_is_at_least_as_strict_as_every_law() -> None:
    default = jurisdictions.match("").pack

    assert [(law.slug, laxer_fields(default, law)) for law in jurisdictions.load() if laxer_fields(default, law)] == []


def test_business_days_are_compared_as_the_fewest_calendar_days_they_can_be() -> None:
    assert Deadline(10, Unit.BUSINESS).least_calendar_days == 14
    assert Deadline(12, Unit.BUSINESS).least_calendar_days == 16
    assert Deadline(12).least_calendar_days == 12
