"""Due dates by law and right: tables a lawyer can read. Engineering readings, not advice."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consent.register.jurisdictions.clocks import earliest_day
from privacy.rights.clocks import document
from privacy.rights.clocks.counting import Calendar, Length, Unit, last_day
from privacy.rights.clocks.due import (
    About,
    Extension,
    Question,
    Settings,
    State,
    due_in,
    end_of,
)
from privacy.rights.clocks.laws import Certainty, Right, laws
from tests.docs.documents import DOCS

D = date.fromisoformat
GERMAN_HOLIDAYS = Settings(holidays={"DE": frozenset({D("2026-12-25"), D("2027-01-01"), D("2027-03-29")})})

# region, right, received, due, extended, section
DATES = [
    # The end of a month, and the leap day.
    ("DE", "access", "2026-01-31", "2026-03-02", "2026-04-30", "12(3)"),  # 28 February is a Saturday
    ("DE", "access", "2027-01-31", "2027-03-01", "2027-04-30", "12(3)"),  # 28 February is a Sunday
    ("DE", "access", "2028-01-31", "2028-02-29", "2028-05-02", "12(3)"),  # extended: 30 April is a Sunday, 1 May kept
    ("DE", "erasure", "2028-02-29", "2028-03-29", "2028-05-29", "12(3)"),
    ("DE", "erasure", "2026-03-31", "2026-04-30", "2026-06-30", "12(3)"),
    # 24 December and a month is a Sunday; with three it is a Wednesday.
    ("FR", "rectification", "2026-12-24", "2027-01-25", "2027-03-24", "12(3)"),
    ("GB", "access", "2026-09-03", "2026-10-05", "2026-12-03", "12A"),
    # At once is a Sunday too.
    ("FR", "opt_out", "2026-03-01", "2026-03-01", None, "21(2)"),
    ("GB", "complaint", "2026-09-03", None, None, "164A"),
    # California: 45 calendar days whatever the weekday; opt-out in business days, of which Saturday is one.
    ("US-CA", "access", "2026-12-24", "2027-02-07", "2027-03-24", "7021"),
    ("US-CA", "opt_out", "2026-03-02", "2026-03-19", None, "7026(f)"),
    # Florida and Iowa have clocks of their own.
    ("US-FL", "access", "2026-03-02", "2026-04-16", "2026-05-01", "501.706"),
    ("US-IA", "access", "2026-03-02", "2026-05-31", "2026-07-15", "715D.3"),
    ("US-TX", "erasure", "2026-03-02", "2026-04-16", "2026-05-31", "541.052"),
    # Appeals.
    ("US-VA", "appeal", "2026-03-02", "2026-05-01", None, "59.1-577(C)"),
    ("US-CO", "appeal", "2026-03-02", "2026-04-16", "2026-06-15", "6-1-1306(3)"),
    ("US-OR", "appeal", "2026-03-02", "2026-04-16", None, "646A.576(6)"),
    ("US-NJ", "appeal", "2026-03-02", "2026-04-16", None, "56:8-166.7"),
    # Elsewhere.
    ("BR", "access", "2026-03-02", "2026-03-17", None, "19, II"),
    ("BR", "erasure", "2026-03-02", "2026-03-02", None, "18"),
    ("IN", "complaint", "2026-03-02", "2026-05-31", None, "14"),
    ("CH", "access", "2026-01-31", "2026-03-02", None, "Ordinance"),
    ("CA-ON", "access", "2026-03-02", "2026-04-01", "2026-05-01", "8(3)"),
    ("CA-QC", "access", "2026-03-02", "2026-04-01", None, "27"),
    ("KR", "access", "2026-03-02", "2026-03-12", None, "41"),
    ("ZA", "access", "2026-03-06", "2026-04-06", "2026-05-05", "PAIA"),  # 5 April is a Sunday
    ("SG", "access", "2026-03-02", "2026-04-01", None, "regulations 5"),
    ("CN", "access", "2026-03-02", "2026-04-01", None, "50"),
    ("MX", "access", "2026-03-02", "2026-03-12", None, "fewest days"),
]


def one(text: str | None) -> date | None:
    return D(text) if text else None


@pytest.mark.parametrize(("region", "right", "received", "due", "extended", "section"), DATES)
def test_the_due_date_of_a_request(
    region: str, right: str, received: str, due: str | None, extended: str | None, section: str
) -> None:
    first_of_may = Settings(holidays={"DE": frozenset({D("2028-05-01")})})
    dates = due_in(region, Right(right), D(received), first_of_may)

    if due is None:
        assert dates.state is State.NO_NUMBER
    else:
        assert (dates.state, dates.due, dates.latest) == (State.RUNNING, one(due), one(extended))
    assert section in dates.clock.section


def test_the_document_is_what_the_code_counts() -> None:
    text = (DOCS / "rights-clocks.md").read_text(encoding="utf-8")

    assert text.partition("## Due dates")[2].partition("\n### ")[2] == document.render().removeprefix("### "), (
        "docs/rights-clocks.md is not current: ./assent manage rights_clocks prints its tables"
    )


def test_every_law_has_a_clock_for_every_right_with_its_section() -> None:
    for law in laws():
        assert set(law.clocks) == set(Right), law.slug
        for clock in law.clocks.values():
            assert clock.section
            assert clock.note or clock.length, f"{law.slug} {clock.right}: no number and no word about it"


def test_no_law_has_fewer_days_than_any_other_place() -> None:
    found = {law.slug: law for law in laws()}
    default = found["default"].clocks[Right.ACCESS].length

    days = [c.length.count for law in laws() for c in law.clocks.values() if c.length and c.length.unit is Unit.DAYS]
    assert default == Length(min(days), Unit.DAYS)


@pytest.mark.parametrize(
    ("region", "right"), [("IN", "access"), ("IN", "erasure"), ("JP", "access"), ("US-WY", "access"), ("DE", "appeal")]
)
def test_no_number_is_said_and_the_own_time_counts(region: str, right: str) -> None:
    dates = due_in(region, Right(right), D("2026-03-02"), Settings(own_days=20))

    assert (dates.state, dates.due) == (State.NO_NUMBER, D("2026-03-22"))


# --- calendars --------------------------------------------------------------------------------------


def test_a_holiday_moves_the_last_day_where_the_law_says_so() -> None:
    # A month later is 25 December, a Friday and a holiday; then a weekend.
    assert due_in("DE", Right.ACCESS, D("2026-11-25"), GERMAN_HOLIDAYS).due == D("2026-12-28")
    assert due_in("AT", Right.ACCESS, D("2026-11-25"), GERMAN_HOLIDAYS).due == D("2026-12-25")


def test_an_extension_is_counted_from_receipt_and_not_from_a_moved_day() -> None:
    dates = due_in("DE", Right.ACCESS, D("2026-11-25"), GERMAN_HOLIDAYS)

    assert (dates.first, dates.latest) == (D("2026-12-28"), D("2027-02-25"))


def test_business_days_are_a_setting() -> None:
    received, weekdays = D("2026-03-02"), frozenset({"mon", "tue", "wed", "thu", "fri"})
    holiday = Settings(business=weekdays, holidays={"US": frozenset({D("2026-03-17")})})

    assert due_in("US-CA", Right.OPT_OUT, received, Settings()).due == D("2026-03-19")
    assert due_in("US-CA", Right.OPT_OUT, received, Settings(business=weekdays)).due == D("2026-03-23")
    assert due_in("US-CA", Right.OPT_OUT, received, holiday).due == D("2026-03-24")


def test_the_receipt_is_confirmed_in_business_days() -> None:
    dates = due_in("US-CA", Right.ACCESS, D("2026-03-02"), Settings(business=frozenset({"mon", "tue", "wed"})))

    assert dates.confirm_by == D("2026-03-24")


def test_thirty_days_beginning_with_the_day_count_it() -> None:
    assert due_in("GB", Right.COMPLAINT, D("2026-09-01"), Settings()).confirm_by == D("2026-09-30")


@given(
    day=st.dates(date(2000, 1, 1), date(2090, 12, 31)),
    count=st.integers(1, 24),
)
def test_months_end_on_the_date_or_the_last_day_of_the_month(day: date, count: int) -> None:
    end = last_day(day, Length(count, Unit.MONTHS), Calendar())

    assert (end.year - day.year) * 12 + end.month - day.month == count
    assert end.day == day.day or (end.day < day.day and (end + timedelta(days=1)).day == 1)


@given(day=st.dates(date(2000, 1, 1), date(2090, 12, 31)), later=st.integers(0, 40))
def test_a_later_receipt_is_never_due_earlier(day: date, later: int) -> None:
    for law in laws():
        for right in (Right.ACCESS, Right.OPT_OUT, Right.APPEAL):
            region = law.regions[0] if law.regions else "MX"
            one_day = due_in(region, right, day, Settings())
            another = due_in(region, right, day + timedelta(days=later), Settings())
            assert one_day.due is not None
            assert another.due is not None
            assert day <= one_day.due <= another.due


# --- the local day of receipt -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("region", "moment", "day"),
    [
        ("DE", datetime(2026, 3, 1, 23, 30, tzinfo=UTC), "2026-03-02"),
        ("US-CA", datetime(2026, 3, 1, 7, 59, tzinfo=UTC), "2026-02-28"),
        ("US-CA", datetime(2026, 3, 1, 8, 0, tzinfo=UTC), "2026-03-01"),
        ("KR", datetime(2026, 3, 1, 15, 0, tzinfo=UTC), "2026-03-02"),
        # Several zones: the earliest day.
        ("BR", datetime(2026, 3, 1, 4, 0, tzinfo=UTC), "2026-02-28"),
        ("ES", datetime(2026, 2, 28, 23, 30, tzinfo=UTC), "2026-02-28"),
        # Nothing is known of the region: the earliest day on earth.
        ("", datetime(2026, 3, 1, 11, 59, tzinfo=UTC), "2026-02-28"),
        ("XX", datetime(2026, 3, 1, 12, 0, tzinfo=UTC), "2026-03-01"),
    ],
)
def test_the_day_of_receipt_is_local(region: str, moment: datetime, day: str) -> None:
    assert earliest_day(moment, region) == D(day)


def test_a_day_ends_at_the_midnight_of_its_zone() -> None:
    assert end_of(D("2026-03-28"), ZoneInfo("Europe/Berlin")) == datetime(2026, 3, 28, 23, tzinfo=UTC)
    assert end_of(D("2026-03-29"), ZoneInfo("Europe/Berlin")) == datetime(2026, 3, 29, 22, tzinfo=UTC)


# --- questions to the person ------------------------------------------------------------------------


def question(about: str, asked: str, answered: str | None) -> Question:
    return Question(About(about), D(asked), one(answered))


# region, questions, due
QUESTIONS = [
    # GDPR: from Wednesday 4 to Monday 9 March five days do not count; 2 April becomes 7 April.
    ("DE", [("identity", "2026-03-04", "2026-03-09")], "2026-04-07"),
    ("DE", [("clarification", "2026-03-04", "2026-03-09")], "2026-04-07"),
    # Two questions over the same days are counted once.
    ("DE", [("identity", "2026-03-04", "2026-03-09"), ("clarification", "2026-03-04", "2026-03-09")], "2026-04-07"),
    # Answered on the day it was asked: nothing is lost.
    ("DE", [("identity", "2026-03-04", "2026-03-04")], "2026-04-02"),
    # Asked after the period had ended.
    ("DE", [("identity", "2026-04-03", "2026-04-20")], "2026-04-02"),
    # UK: identity starts the month anew; clarification leaves six days out, both ends included.
    ("GB", [("identity", "2026-03-04", "2026-03-09")], "2026-04-09"),
    ("GB", [("fee", "2026-03-04", "2026-03-12")], "2026-04-13"),
    ("GB", [("clarification", "2026-03-04", "2026-03-09")], "2026-04-08"),
    ("GB", [("clarification", "2026-03-04", "2026-03-04")], "2026-04-03"),
    # California and the other states run on.
    ("US-CA", [("identity", "2026-03-04", "2026-03-09")], "2026-04-16"),
    ("US-CT", [("clarification", "2026-03-04", "2026-03-09")], "2026-04-16"),
]


@pytest.mark.parametrize(("region", "questions", "due"), QUESTIONS)
def test_a_question_to_the_person_moves_the_date_as_its_law_says(region: str, questions: list, due: str) -> None:
    asked = [question(*each) for each in questions]

    assert due_in(region, Right.ACCESS, D("2026-03-02"), Settings(), questions=asked).due == D(due)


def test_clarification_moves_only_access_in_the_united_kingdom() -> None:
    asked = [question("clarification", "2026-03-04", "2026-03-09")]

    assert due_in("GB", Right.ERASURE, D("2026-03-02"), Settings(), questions=asked).due == D("2026-04-02")


@pytest.mark.parametrize(("region", "state"), [("DE", "waiting"), ("GB", "waiting"), ("US-CA", "running")])
def test_a_clock_stands_still_only_where_the_law_lets_it(region: str, state: str) -> None:
    asked = [question("identity", "2026-03-04", None)]
    dates = due_in(region, Right.ACCESS, D("2026-03-02"), Settings(), questions=asked)

    assert dates.state == state
    assert (dates.due is None) == (state == "waiting")


# --- extensions -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("region", "right", "announced", "until", "due"),
    [
        ("DE", "access", "2026-04-02", None, "2026-06-02"),
        ("DE", "access", "2026-04-03", None, "2026-04-02"),  # a day late: overdue since the second of April
        ("DE", "access", "2026-04-02", "2026-05-11", "2026-05-11"),
        ("DE", "access", "2026-04-02", "2026-09-01", "2026-06-02"),  # no more than the law gives
        ("US-CA", "opt_out", "2026-03-04", None, "2026-03-19"),  # the law knows no extension
        ("CA-QC", "access", "2026-03-04", None, "2026-04-01"),
        ("CH", "access", "2026-04-01", "2026-07-01", "2026-07-01"),  # no maximum
        ("CH", "access", "2026-04-02", "2026-07-01", "2026-04-01"),
    ],
)
def test_an_extension_counts_if_it_was_announced_in_time(
    region: str, right: str, announced: str, until: str | None, due: str
) -> None:
    extension = Extension(D(announced), one(until))
    dates = due_in(region, Right(right), D("2026-03-02"), Settings(), extension=extension)

    assert dates.due == D(due)
    assert dates.is_extended == (dates.due != dates.first)


def test_a_country_without_its_part_has_the_earliest_date() -> None:
    dates = due_in("US", Right.ACCESS, D("2026-03-02"), Settings())

    assert dates.due == D("2026-04-16")
    assert due_in("CA", Right.PORTABILITY, D("2026-03-02"), Settings()).clock.law == "ca-qc"


def test_a_fact_that_was_not_read_in_the_text_says_so() -> None:
    certainties = {law.slug: {clock.certainty for clock in law.clocks.values()} for law in laws()}

    assert Certainty.UNVERIFIED in certainties["us-va"]
    assert Certainty.TEXT in certainties["us-fl"]
