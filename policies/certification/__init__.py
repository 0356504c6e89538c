"""Package of the AuthZEN certification scenario: its users, records and rules, loaded on request only."""

import json
from functools import lru_cache
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent


@lru_cache(maxsize=1)
def read_certification() -> tuple[dict[str, str], dict[str, Any]]:
    """Return the scenario's Rego modules (path -> text) and what it adds to a bundle's data."""
    policies = {"certification.rego": (FOLDER / "certification.rego").read_text()}
    return policies, json.loads((FOLDER / "data.json").read_text())
