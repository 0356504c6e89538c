"""Where things lie that tests read."""

from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]
CHECKOUT = TESTS.parent
CASES = TESTS / "cases"
SHARED_DATA = CHECKOUT.parent / "shared" / "data"  # real data that is never committed; tests skip loudly without it
