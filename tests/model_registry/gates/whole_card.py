"""A model card that lacks nothing."""

from typing import Any

WHOLE_CARD: dict[str, Any] = {
    "name": "House",
    "overview": "Item to item.",
    "version": "1",
    "date": "2026-11-01",
    "owners": [{"name": "Shop", "contact": "models@example.org"}],
    "licenses": [{"id": "AGPL-3.0-only"}],
    "architecture": {"name": "EASE", "task": "recommendation", "inputs": ["items"], "outputs": ["items"]},
    "training": {
        "data": [{"name": "events", "digest": "a" * 64}],
        "from_day": "2026-01-01",
        "to_day": "2026-10-31",
        "privacy_level": "individual",
    },
    "evaluations": [
        {
            "task": "recommendation",
            "dataset": {"name": "events"},
            "metrics": [{"type": "ndcg", "value": 0.3, "slice": "DE", "interval": {"lower": 0.2, "upper": 0.4}}],
        }
    ],
    "disparities": [{"metric": "ndcg", "group": "DE", "value": 0.01}],
    "considerations": {
        "users": ["Customers"],
        "use_cases": ["Suggestions"],
        "forbidden_uses": ["Prices"],
        "limitations": ["Few events"],
        "tradeoffs": ["Speed"],
        "ethical": [{"name": "Bubble", "mitigation": "General list"}],
    },
    "alternatives": [{"approach": "EASE", "chosen": True}],
    "governance": {"role": "provider", "risk": "minimal", "intended_purposes": ["recommendations"]},
}
