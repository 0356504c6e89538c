"""Panels of a version's page: tables and plots that other packages register about a version.

The packages above know the engine, its audits and its deployments; the page knows none of them.
"""

from collections.abc import Callable
from dataclasses import dataclass

from django.utils.html import format_html_join

from model_registry.models import ModelVersion


@dataclass(frozen=True)
class Panel:
    """A heading and what draws below it: safe HTML, empty where there is nothing to show of a version."""

    heading: str
    draw: Callable[[ModelVersion], str]
    order: int = 100


_panels: dict[str, Panel] = {}


def register(slug: str, panel: Panel) -> None:
    """Add a panel, in ``ready`` of an app. Raises ValueError where the slug is taken."""
    if slug in _panels:
        raise ValueError(f"There is a panel {slug!r} already.")
    _panels[slug] = panel


def drawn(version: ModelVersion) -> str:
    """Return the panels that have something to show, in their order, each under its heading."""
    ordered = sorted(_panels.items(), key=lambda found: (found[1].order, found[0]))
    shown = [(slug, panel.heading, html) for slug, panel in ordered if (html := panel.draw(version))]
    return format_html_join("", '<section id="panel-{}"><h3>{}</h3>{}</section>', shown)
