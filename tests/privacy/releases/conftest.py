"""A table of made-up people, two officers, and a receiver that a purpose names."""

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from common.actors import Officer
from privacy.models import TableRelease
from privacy.releases import asking, running, uploads
from privacy.releases.asking import Asked
from tests.helpers.officers import make_accounts

ANN, BEN = Officer.of("ann", 1001), Officer.of("ben", 1002)
PARTY, PURPOSE = "parcel-carrier", "order_fulfilment"
ROLES = {"name": "direct", "age": "quasi", "city": "quasi", "illness": "sensitive", "visits": "other"}


def rows(number: int = 120, seed: int = 7) -> str:
    rng = random.Random(seed)
    lines = ["name,age,city,illness,visits"]
    for place in range(number):
        illness = ("flu", "gout", "none")[place % 3]
        lines.append(f"Person {place},{rng.randint(18, 80)},{rng.choice('RMTP')},{illness},{rng.randint(1, 4)}")
    return "\n".join(lines) + "\n"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, settings: Any) -> Path:
    settings.RELEASE_DIR = tmp_path / "releases"
    return Path(settings.RELEASE_DIR)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "visits.csv"
    path.write_text(rows())
    return path


@pytest.fixture
def officers(register_in_force: None) -> None:
    """Ann and Ben, independent of each other; the demonstration's purpose names its carrier as a receiver."""
    make_accounts(ANN, BEN)


@pytest.fixture
def asked() -> Callable[..., Asked]:
    def build(**changes: Any) -> Asked:
        said: dict[str, Any] = {
            "roles": ROLES, "k": 10, "l": 2, "purpose": PURPOSE, "receivers": (PARTY,), "people": "eea",
            "region": "eu-central", "days": 90,
        }  # fmt: skip
        return Asked(**{**said, **changes})

    return build


@pytest.fixture
def made(officers: None, file: Path, asked: Callable[..., Asked]) -> Callable[..., TableRelease]:
    """Make the copy of a release of the table, as the job does."""

    def make(table: Any = None, **changes: Any) -> TableRelease:
        table = table or uploads.take_file(file, actor=ANN)
        row = asking.ask(table, asked(**changes), actor=ANN, state=TableRelease.State.RUNNING)
        running.carry_out(row)
        return row

    return make
