"""Public vocabularies of personal data, as suggestions: keys of fideslang, terms of the DPV's extension PD.

``data_terms.json`` holds their names alone, with source, version and licence.
"""

import json
from functools import lru_cache
from pathlib import Path
from typing import Any

_TABLE = Path(__file__).parent / "data_terms.json"


def fideslang() -> dict[str, str]:
    """Return the keys of fideslang's data categories with their names."""
    terms: dict[str, str] = _table()["fideslang"]["terms"]
    return terms


def dpv() -> dict[str, str]:
    """Return the terms of the DPV for personal data with their labels."""
    terms: dict[str, str] = _table()["dpv_pd"]["terms"]
    return terms


@lru_cache(maxsize=1)
def _table() -> dict[str, Any]:
    table: dict[str, Any] = json.loads(_TABLE.read_text())
    return table
