"""Panels of a version's page are those that have something to show, in their order."""

import pytest
from django.utils.html import format_html

from model_registry.models import ModelVersion
from model_registry.pages import panels
from model_registry.pages.panels import Panel


@pytest.fixture
def none_registered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(panels, "_panels", {})


def test_panels_stand_in_their_order_and_empty_ones_are_left_out(none_registered: None) -> None:
    panels.register("later", Panel("Later", lambda _version: format_html("<p>{}</p>", "<b>"), order=20))
    panels.register("empty", Panel("Empty", lambda _version: "", order=1))
    panels.register("first", Panel("First", lambda version: format_html("<p>{}</p>", version.version), order=10))

    html = panels.drawn(ModelVersion(version=3))

    assert html.index("First") < html.index("Later")
    assert "<p>3</p>" in html
    assert "&lt;b&gt;" in html
    assert "Empty" not in html


def test_nothing_to_show_is_nothing(none_registered: None) -> None:
    assert panels.drawn(ModelVersion(version=1)) == ""


def test_a_slug_is_taken_once(none_registered: None) -> None:
    panels.register("audits", Panel("Audits", lambda _version: ""))

    with pytest.raises(ValueError, match="audits"):
        panels.register("audits", Panel("Others", lambda _version: ""))
