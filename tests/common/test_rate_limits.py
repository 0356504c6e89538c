"""Rate limits: exact under many processes at once, and the table names nobody."""

import threading
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network

import pytest
from django.db import connection
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from common.http.client_network import client_network
from common.http.problems import TooManyRequests
from common.http.rate_limit import RateLimit, bucket_key, forget_unused
from common.models import RateBucket
from governance import checks

LIMIT = RateLimit("test", 5, per=timedelta(minutes=10))


@pytest.fixture
def pass_by(monkeypatch):
    now = [datetime.now(UTC)]
    monkeypatch.setattr(timezone, "now", lambda: now[0])

    def wait(**span):
        now[0] += timedelta(**span)

    return wait


def _taken(times, *who):
    """How many of so many tries were let through."""
    passed = 0
    for _ in range(times):
        try:
            LIMIT.take(*who)
        except TooManyRequests:
            continue
        passed += 1
    return passed


@pytest.mark.django_db
def test_so_many_at_once_and_no_more(pass_by):
    assert _taken(20, "a") == 5


@pytest.mark.django_db
@pytest.mark.parametrize(("minutes", "more"), [(1.99, 0), (2, 1), (5, 2), (10, 5), (1000, 5)])
def test_what_was_used_up_comes_back_evenly(pass_by, minutes, more):
    _taken(5, "a")

    pass_by(minutes=minutes)

    assert _taken(20, "a") == more


@pytest.mark.django_db
def test_who_is_refused_is_told_when_to_come_again_and_loses_nothing_by_asking(pass_by):
    _taken(5, "a")
    pass_by(seconds=30)
    _taken(50, "a")

    with pytest.raises(TooManyRequests) as refused:
        LIMIT.take("a")

    assert refused.value.headers == {"Retry-After": "90"}
    pass_by(seconds=90)
    assert _taken(2, "a") == 1


@pytest.mark.django_db
def test_limits_and_callers_do_not_share(pass_by):
    _taken(5, "a")

    assert _taken(5, "b") == 5
    RateLimit("another", 1, per=timedelta(minutes=1)).take("a")


@pytest.mark.django_db
def test_what_is_given_back_can_be_taken_again(pass_by):
    _taken(5, "a")

    LIMIT.give_back("a")
    LIMIT.give_back("nobody")

    assert _taken(5, "a") == 1


@pytest.mark.django_db(transaction=True)
def test_many_at_once_get_no_more_than_one_after_the_other():
    passed, start = [], threading.Barrier(8)

    def try_it():
        try:
            start.wait()
            passed.append(_taken(5, "a"))
        finally:
            connection.close()

    threads = [threading.Thread(target=try_it) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=300)

    assert sum(passed) == 5


@pytest.mark.django_db
def test_one_statement_a_check(django_assert_num_queries, pass_by):
    with django_assert_num_queries(1):
        LIMIT.take("a")


@pytest.mark.django_db
def test_the_table_names_nobody_and_is_forgotten_when_everything_has_come_back(pass_by):
    LIMIT.take("192.0.2.0/24")

    with connection.cursor() as cursor:
        cursor.execute("SELECT b::text FROM common_ratebucket b")
        assert "192.0.2" not in cursor.fetchone()[0].split(",")[0]
    assert forget_unused() == 0
    pass_by(minutes=2, seconds=1)
    assert forget_unused() == 1
    assert not RateBucket.objects.exists()


@pytest.mark.django_db
def test_the_table_is_not_worth_a_journal():
    with connection.cursor() as cursor:
        cursor.execute("SELECT relpersistence FROM pg_class WHERE relname = 'common_ratebucket'")
        assert cursor.fetchone() == ("u",)


def test_an_operator_is_told_of_a_proxy_nobody_named(settings):
    assert checks.check_trusted_proxies(None) == []

    settings.PUBLIC_URL = "https://privacy.example.org"

    assert [warning.id for warning in checks.check_trusted_proxies(None)] == ["governance.W001"]
    settings.TRUSTED_PROXIES = [ip_network("10.0.0.0/8")]
    assert checks.check_trusted_proxies(None) == []


def test_the_hash_needs_the_secret(settings):
    with_one = bucket_key("limit", "192.0.2.0/24")

    settings.SECRET_KEY = "another secret"

    assert bucket_key("limit", "192.0.2.0/24") != with_one


@given(st.lists(st.text(max_size=5), max_size=4), st.lists(st.text(max_size=5), max_size=4))
def test_parts_of_a_key_do_not_run_into_each_other(one, other):
    assert (bucket_key(*one) == bucket_key(*other)) is (one == other)


@pytest.mark.parametrize(
    ("peer", "forwarded", "network"),
    [
        ("192.0.2.77", None, "192.0.2.0/24"),
        ("2001:db8:1:2ff::1", None, "2001:db8:1:200::/56"),
        ("::ffff:192.0.2.77", None, "192.0.2.0/24"),
        ("fe80::1%eth0", None, "fe80::/56"),
        ("", None, "unknown"),
        ("unix:", None, "unknown"),
        # Somebody who is no trusted proxy may write what they like.
        ("192.0.2.77", "203.0.113.9", "192.0.2.0/24"),
        ("10.0.0.1", "203.0.113.9", "203.0.113.0/24"),
        ("10.0.0.1", "203.0.113.9, 10.0.0.2", "203.0.113.0/24"),
        ("10.0.0.1", "198.51.100.1, 203.0.113.9", "203.0.113.0/24"),
        ("10.0.0.1", "203.0.113.9, nonsense", "10.0.0.0/24"),
        ("10.0.0.1", "", "10.0.0.0/24"),
        ("10.0.0.1", "x," * 5_000 + "203.0.113.9", "203.0.113.0/24"),
    ],
)
def test_the_network_is_the_peers_unless_a_trusted_proxy_says_otherwise(settings, peer, forwarded, network):
    settings.TRUSTED_PROXIES = [ip_network("10.0.0.0/8")]
    environ = {"REMOTE_ADDR": peer, **({} if forwarded is None else {"HTTP_X_FORWARDED_FOR": forwarded})}

    assert client_network(environ) == network


def test_nobody_is_a_trusted_proxy_until_named(settings):
    assert settings.TRUSTED_PROXIES == []
    assert client_network({"REMOTE_ADDR": "127.0.0.1", "HTTP_X_FORWARDED_FOR": "203.0.113.9"}) == "127.0.0.0/24"
