"""Alert rules: each asks for metrics that exist and says what to do."""

import re

import yaml

from tests.docs.documents import DOCS, codes, rows, section
from tests.helpers.paths import CHECKOUT

RULES = yaml.safe_load((CHECKOUT / "deploy" / "alerts.yaml").read_text(encoding="utf-8"))["groups"][0]["rules"]


def test_alerts_ask_for_documented_metrics():
    table = rows(section(DOCS / "operations.md", "Metrics"))
    documented = {name.partition("{")[0] for row in table for name in codes(row[0])}
    asked = {name for rule in RULES for name in re.findall(r"assent_[a-z_]+", rule["expr"])}
    assert {name.removesuffix("_bucket") for name in asked} - documented == set()


def test_each_alert_says_what_to_do():
    assert len({rule["alert"] for rule in RULES}) == len(RULES) >= 10
    for rule in RULES:
        assert rule["labels"]["severity"] in {"page", "ticket"}
        assert rule["annotations"]["summary"]
        assert len(rule["annotations"]["action"]) > 20
