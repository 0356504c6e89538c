"""Where things lie that tests read."""

from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]
CHECKOUT = TESTS.parent
CASES = TESTS / "cases"
DATA = TESTS / "data"  # of other people; its README names sources and licences
