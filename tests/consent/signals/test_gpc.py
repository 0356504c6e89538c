"""Global Privacy Control: one exact value, and nothing else."""

from datetime import date

import pytest

from consent.signals import gpc


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([], False),
        (["1"], True),
        (["0"], False),
        ([""], False),
        (["true"], False),
        (["1 "], False),
        (["11"], False),
        (["01"], False),
        (["1.0"], False),
        (["1;x"], False),
        (["\u0661"], False),
        (["0", "1"], True),
        (["1", "0"], True),
        (["?1"], False),
    ],
)
def test_only_exactly_one_is_set(values, expected):
    assert gpc.is_set(values) is expected


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({}, False),
        ({"HTTP_SEC_GPC": "1"}, True),
        ({"HTTP_SEC_GPC": "0"}, False),
        ({"HTTP_SEC_GPC": "0,1"}, True),
        ({"HTTP_SEC_GPC": "0, 1"}, True),
        ({"HTTP_SEC_GPC": "0 1"}, False),
        ({"HTTP_SEC_GPC": "10"}, False),
        ({"HTTP_SEC_GPC": ","}, False),
        ({"HTTP_SEC_GPC": 1}, False),
    ],
)
def test_servers_join_repeated_headers_with_commas(environ, expected):
    assert gpc.is_set_in_environ(environ) is expected


def test_the_well_known_document_names_its_day():
    assert gpc.well_known(date(2026, 3, 7)) == {"gpc": True, "lastUpdate": "2026-03-07"}
