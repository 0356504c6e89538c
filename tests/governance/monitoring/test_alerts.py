"""Alert rules: each asks for metrics and labels that exist and says what to do; promtool judges the rest."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from tests.docs.documents import DOCS, codes, rows, section
from tests.helpers.paths import CHECKOUT

FILE = CHECKOUT / "deploy" / "alerts.yaml"
RULES = yaml.safe_load(FILE.read_text(encoding="utf-8"))["groups"][0]["rules"]
PROMTOOL = shutil.which("promtool")
METRIC = re.compile(r"(assent_[a-z_]+?)(?:_bucket)?\b(?:\{(\w+)[=!])?")


def documented():
    """Labels by metric. That the table names just the metrics there are is a test of tests/docs."""
    named = [code for row in rows(section(DOCS / "operations.md", "Metrics")) for code in codes(row[0])]
    return {name.partition("{")[0]: set(re.findall(r"\w+", name.partition("{")[2])) for name in named}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_alert_asks_for_metrics_and_labels_that_exist(rule):
    labels_of = documented()
    asked = METRIC.findall(rule["expr"])
    assert asked
    for name, label in asked:
        assert name in labels_of
        assert not label or label in labels_of[name]
    kept = {label for group in re.findall(r"by \(([^)]*)\)", rule["expr"]) for label in re.findall(r"\w+", group)}
    there = {"le"}.union(*(labels_of[name] for name, _ in asked))
    assert kept <= there
    assert set(re.findall(r"\$labels\.(\w+)", rule["annotations"]["summary"])) <= kept


def test_each_alert_says_what_to_do():
    assert len({rule["alert"] for rule in RULES}) == len(RULES) >= 10
    for rule in RULES:
        assert rule["labels"]["severity"] in {"page", "ticket"}
        assert rule["annotations"]["summary"]
        assert len(rule["annotations"]["action"]) > 20


@pytest.mark.skipif(PROMTOOL is None, reason="promtool is not installed: the rules were NOT JUDGED by Prometheus")
@pytest.mark.parametrize(
    "question", [("check", "rules", FILE), ("test", "rules", Path(__file__).with_name("alerts_cases.yaml"))], ids=str
)
def test_prometheus_finds_the_rules_right(question):
    done = subprocess.run([PROMTOOL, *map(str, question)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
