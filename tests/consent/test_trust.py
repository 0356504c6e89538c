"""Trust metrics: the rates are right, and no group of fewer than 20 people is told."""

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from consent.counts import What
from consent.models import ConsentRecord, DailyCount
from consent.trust import metrics
from consent.trust.metrics import Grouping
from tests.helpers.consent_history import Past

pytestmark = pytest.mark.django_db


@pytest.fixture
def past(register_in_force):
    return Past()


def _since(days=30):
    return timezone.now() - timedelta(days=days)


def _groups(grouping, days=30):
    return {group.key: group.answers for group in metrics.breakdown(grouping, since=_since(days)).groups}


def test_the_rates_are_shares_of_the_last_answers(past):
    past.crowd("a", given=30, refused=10, withdrawn=10)

    total = metrics.breakdown(Grouping.PURPOSE, since=_since()).total

    assert (total.people, total.given, total.refused, total.withdrawn) == (50, 30, 10, 10)
    assert (total.consent_rate, total.opt_out_rate, total.withdrawal_rate) == (0.6, 0.2, 0.25)


def test_only_a_persons_last_answer_counts(past):
    past.crowd("a", given=20)
    for number in range(20):
        past.choose(f"a-given-{number}", "withdrawn", days_ago=1)

    total = metrics.breakdown(Grouping.PURPOSE, since=_since()).total

    assert (total.people, total.given, total.withdrawn) == (20, 0, 20)


def test_answers_before_the_period_and_for_parts_of_a_purpose_are_left_out(past):
    past.crowd("old", given=25, days_ago=40)
    past.crowd("new", refused=25, days_ago=20)
    record = past.choose("part", "given")
    fields = {
        f.attname: getattr(record, f.attname) for f in ConsentRecord._meta.fields if f.attname not in ("id", "scope")
    }
    ConsentRecord.objects.create(**fields, scope="channel=email")

    assert metrics.breakdown(Grouping.PURPOSE, since=_since(30)).total.total == 26
    assert metrics.breakdown(Grouping.PURPOSE, since=_since(90)).total.total == 51


def test_objections_to_what_needs_no_consent_are_no_answers(past):
    past.crowd("a", given=20)
    for number in range(25):
        past.choose(f"o-{number}", "objected", purpose="usage_statistics")

    assert list(_groups(Grouping.PURPOSE)) == [("recommendations", 0)]


@pytest.mark.parametrize(("people", "is_shown"), [(19, False), (20, True)])
@pytest.mark.parametrize("grouping", list(Grouping))
def test_19_people_are_withheld_and_20_are_shown(past, people, is_shown, grouping):
    past.crowd("a", given=people)

    shown = metrics.breakdown(grouping, since=_since())

    assert (shown.groups[0].answers is not None) is is_shown
    assert (shown.total is not None) is is_shown
    assert not shown.is_empty


def test_a_withheld_region_takes_the_next_smallest_with_it(past):
    past.crowd("de", given=60, region="DE")
    past.crowd("fr", given=30, region="FR")
    past.crowd("at", given=3, region="AT")

    shown = _groups(Grouping.REGION)

    assert shown["AT", 0] is None
    assert shown["FR", 0] is None
    assert shown["DE", 0].people == 60


def test_notice_versions_do_not_tell_what_their_purposes_withhold(past):
    past.crowd("r1", given=60, notice=1)
    past.crowd("r2", given=60, notice=2)
    past.crowd("n", given=30, purpose="newsletter")
    past.crowd("p", given=5, purpose="personalization")

    shown = _groups(Grouping.NOTICE)

    assert {key for key, answers in shown.items() if answers} == {("recommendations", 1), ("recommendations", 2)}
    assert {key for key, answers in _groups(Grouping.PURPOSE).items() if answers} == {("recommendations", 0)}


def test_a_small_version_takes_the_next_of_its_purpose_with_it(past):
    past.crowd("v1", given=60, notice=1)
    past.crowd("v2", given=40, notice=2)
    past.crowd("v3", given=3, notice=3)

    assert {key[1] for key, answers in _groups(Grouping.NOTICE).items() if answers} == {1}


def test_a_withdrawal_rate_of_few_who_had_agreed_is_withheld(past):
    past.crowd("a", given=10, refused=30, withdrawn=9)

    assert metrics.breakdown(Grouping.PURPOSE, since=_since()).total.withdrawal_rate is None


def test_the_time_to_withdraw_is_told_from_20_people_on(past):
    for number in range(20):
        past.choose(f"w-{number}", "given", days_ago=10 + number)
        if number == 19:
            assert metrics.time_to_withdraw(Grouping.PURPOSE, since=_since(60)) == {}
        past.choose(f"w-{number}", "withdrawn", days_ago=8)

    waited = metrics.time_to_withdraw(Grouping.PURPOSE, since=_since(60))

    assert set(waited) == {None, ("recommendations", 0)}
    assert waited[None].median.total_seconds() / 86400 == pytest.approx(11.5, abs=0.01)
    assert waited[None].p90.total_seconds() / 86400 == pytest.approx(19.1, abs=0.01)


def test_weeks_begin_on_monday_and_small_ones_are_gaps(past, monkeypatch):
    friday = datetime(2026, 11, 20, 12, tzinfo=UTC)
    monkeypatch.setattr(timezone, "now", lambda: friday)
    past.crowd("this", given=30, days_ago=1)
    past.crowd("last", given=15, refused=15, days_ago=8)
    past.crowd("before", given=5, days_ago=15)

    weeks = metrics.weeks(since=friday - timedelta(days=30), until=friday)

    assert [week.monday.day for week in weeks] == [26, 2, 9, 16]
    assert [week.answers and week.answers.people for week in weeks][-1] in (30, None)
    assert weeks[1].answers is None
    assert sum(week.answers is not None for week in weeks) == 1


def test_uses_are_added_up_by_week_and_few_are_withheld(db):
    monday = timezone.now().date() - timedelta(days=timezone.now().weekday())
    for weeks_ago, times in ((0, 40), (1, 50), (2, 60)):
        DailyCount.objects.create(day=monday - timedelta(weeks=weeks_ago), what="dashboard_opened", count=times)
    DailyCount.objects.create(day=monday, what="receipt_downloaded", count=19)

    uses = metrics.uses(since=_since(), until=timezone.now())

    assert uses[What.DASHBOARD_OPENED].total == 150
    assert uses[What.DASHBOARD_OPENED].by_week[monday] == 40
    assert uses[What.RECEIPT_DOWNLOADED].total is None
    assert uses[What.LINK_ISSUED].total == 0


def test_every_figure_is_one_statement(past, sql):
    past.crowd("a", given=25, withdrawn=25)
    sql.clear()

    metrics.breakdown(Grouping.REGION, since=_since(), smallest=20)
    metrics.time_to_withdraw(Grouping.NOTICE, since=_since(), smallest=20)
    metrics.weeks(since=_since(), until=timezone.now(), smallest=20)
    metrics.uses(since=_since(), until=timezone.now(), smallest=20)

    assert len(sql) == 4


def test_a_state_of_fewer_than_20_people_is_not_counted(api):
    for number in range(20):
        api.save(f"customer-{number}", "give")
        if number:
            api.save(f"customer-{number}", "refuse", "newsletter")

    now = timezone.now()

    assert metrics.people_by_state(now=now) == {("recommendations", "given"): 20}
    later = now + timedelta(days=4_000)
    assert metrics.people_by_state(now=later) == {("recommendations", "expired"): 20}
