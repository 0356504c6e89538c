"""Levels of personalization, least first (docs/glossary.md, "level")."""

from enum import StrEnum
from typing import Final, Literal

LevelName = Literal["none", "segment", "behavioral", "contextual", "individual"]


class Level(StrEnum):
    """Level of personalization: how much of a person an answer may use, from least to most."""

    NONE = "none"
    SEGMENT = "segment"
    BEHAVIORAL = "behavioral"
    CONTEXTUAL = "contextual"
    INDIVIDUAL = "individual"

    def includes(self, other: "Level") -> bool:
        """Return whether this level allows at least what ``other`` allows."""
        return LEVELS[self] >= LEVELS[other]  # comparing the strings themselves would order them by alphabet


LEVELS: Final = {level.value: rank for rank, level in enumerate(Level)}
