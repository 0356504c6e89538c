"""Digests, roots and identifiers are what their standards say, so that others can recompute them."""

import hashlib
import time
from datetime import UTC, datetime, timedelta
from uuid import RFC_4122, UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.canonical import NotCanonical, canonical_json, digest_of
from common.identifiers import uuid7, uuid7_floor, uuid7_text
from common.merkle import merkle_root

# RFC 6962, section 2.1, over the leaves of the reference implementation's own tests (certificate-transparency).
LEAVES = [bytes.fromhex(leaf) for leaf in ("", "00", "10", "2021", "3031", "40414243", "5051525354555657")]
ROOTS = {
    0: "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    1: "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    2: "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    3: "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    4: "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    5: "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    6: "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    7: "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
}


@pytest.mark.parametrize("count", ROOTS)
def test_the_root_is_the_tree_hash_of_rfc_6962(count: int) -> None:
    assert merkle_root(LEAVES[:count]).hex() == ROOTS[count]


@given(st.lists(st.binary(max_size=8), min_size=1, max_size=20), st.data())
def test_another_leaf_or_order_has_another_root(leaves: list[bytes], data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(leaves) - 1))
    changed = [*leaves[:place], leaves[place] + b"x", *leaves[place + 1 :]]

    assert merkle_root(changed) != merkle_root(leaves)
    assert merkle_root([*leaves, leaves[-1]]) != merkle_root(leaves)


def test_equal_values_have_equal_bytes_whatever_the_order_of_their_members() -> None:
    assert canonical_json({"b": [1, "é"], "a": None}) == '{"a":null,"b":[1,"é"]}'.encode()
    assert digest_of({"b": 1, "a": {"d": 2, "c": 3}}) == digest_of({"a": {"c": 3, "d": 2}, "b": 1})
    assert digest_of({"a": 1}) == hashlib.sha256(b'{"a":1}').digest()


@pytest.mark.parametrize("value", [1.0, {"a": [0.5]}, {"a": object()}, [{"a": float("nan")}]])
def test_what_has_no_unique_text_has_no_digest(value: object) -> None:
    with pytest.raises(NotCanonical):
        digest_of(value)


@pytest.mark.parametrize("make", [uuid7, lambda: UUID(uuid7_text())], ids=["uuid7", "uuid7_text"])
def test_identifiers_are_version_7_and_lie_between_the_floors_of_their_time(make) -> None:
    # The identifier counts whole milliseconds; the clock is read in microseconds.
    before = datetime.now(UTC) - timedelta(milliseconds=1)

    made = [make() for _ in range(200)]

    assert {(identifier.version, identifier.variant) for identifier in made} == {(7, RFC_4122)}
    assert len(set(made)) == len(made)
    after = datetime.now(UTC) + timedelta(milliseconds=1)
    assert all(uuid7_floor(before) <= identifier < uuid7_floor(after) for identifier in made)


@pytest.mark.parametrize("make", [uuid7, uuid7_text])
def test_identifiers_made_one_after_the_other_sort_in_that_order(make, monkeypatch: pytest.MonkeyPatch) -> None:
    moments = iter(range(1_796_000_000_000_000_000, 1_796_000_000_003_000_000, 300))
    monkeypatch.setattr(time, "time_ns", lambda: next(moments))

    made = [str(make()) for _ in range(10_000)]

    assert made == sorted(made)
    assert len({identifier[19:] for identifier in made}) == len(made)


def test_the_floor_of_a_day_lies_between_its_neighbours() -> None:
    midnight = datetime(2026, 11, 21, tzinfo=UTC)

    assert uuid7_floor(midnight - timedelta(milliseconds=1)) < uuid7_floor(midnight)
    assert uuid7_floor(midnight).int & ((1 << 80) - 1) == 0
