"""Kinds of outputs that are reviewed, registered by the packages that make them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.http import QueryDict

from model_registry.reviews.outputs.holding import Made

Content = Mapping[str, Any]
Edit = Callable[[Content, QueryDict], dict[str, Any]]
Produce = Callable[[UUID], Made | None]


@dataclass(frozen=True)
class Kind:
    """Kind of output: how a reviewer sees and changes it, and how it is made where a person asks for a review.

    ``facts`` shows the facts of the decision. ``masked`` returns the content as the person would see it: without the
    fields that rules of masking take away, whose names stand in it under "masked". ``edit`` returns the content as a
    form changes it, and raises VerdictRefused. ``produce`` returns what the person would be shown now; None where
    nothing about the person is.
    """

    slug: str
    title: str
    template: str
    edit: Edit
    masked: Callable[[Content], Content]
    produce: Produce
    facts: Callable[[Mapping[str, Any]], str]


_kinds: dict[str, Kind] = {}


def add(*kinds: Kind) -> None:
    """Register kinds of outputs. Called in ``AppConfig.ready()``."""
    for kind in kinds:
        _kinds[kind.slug] = kind


def find(slug: str) -> Kind:
    return _kinds[slug]


def all_kinds() -> Sequence[Kind]:
    return list(_kinds.values())
