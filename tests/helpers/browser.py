"""What the tests in a browser need of the machine, and what their skipping says."""

import os
from pathlib import Path
from typing import Any

import pytest

from governance.launcher.test_tools import find_browser

CHROMIUM = os.environ.get("ASSENT_TEST_CHROMIUM") or find_browser()
AXE = os.environ.get("ASSENT_TEST_AXE")
needs_chromium = pytest.mark.skipif(
    not CHROMIUM,
    reason="NO PAGE WAS LOOKED AT: needs Chromium on the PATH (chromium-headless-shell or chromium), "
    "or its path in ASSENT_TEST_CHROMIUM",
)
needs_axe = pytest.mark.skipif(
    not AXE,
    reason="ACCESSIBILITY RULES WERE NOT CHECKED: needs axe-core, which ./assent test fetches with npm, "
    "or the path of axe.min.js in ASSENT_TEST_AXE",
)


def broken_rules(page: Any) -> list[tuple[str, str]]:
    """Return axe's rules that a page breaks, each with the element; only what is "minor" may stand."""
    if not AXE:
        return []
    page.evaluate(Path(AXE).read_text())
    found = page.evaluate("axe.run().then(result => result.violations)")
    return [(fault["id"], fault["nodes"][0]["html"][:200]) for fault in found if fault["impact"] != "minor"]
