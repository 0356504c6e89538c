"""Personalization levels and what each of them may use of a person.

``permit`` is the only way from a person's data to the model: what a level does not allow is cut off here,
so the scoring code cannot use it by mistake.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from common.levels import Level
from personalization.recommender.interactions import Interaction, Touches

BEHAVIORAL_WINDOW = 100
"""The latest interactions that ``behavioral`` may use: of everything, and of those that the person liked."""


@dataclass(frozen=True, slots=True)
class Permitted:
    """A person's data cut to one level; interactions are oldest first."""

    level: Level
    segment: str | None
    group: str | None
    history: tuple[Interaction, ...] | Touches
    session: tuple[Interaction, ...]


def permit(
    level: Level | str,
    *,
    history: Iterable[Interaction] | Touches,
    session: Iterable[Interaction],
    segment: str | None,
    group: str | None = None,
) -> Permitted:
    """Cut a person's data down to what ``level`` may use.

    Raises ValueError for a level that does not exist.
    """
    level = Level(level)
    return Permitted(
        level=level,
        segment=segment if level.includes(Level.SEGMENT) else None,
        group=group if level.includes(Level.SEGMENT) else None,
        history=_permitted_history(level, history),
        session=tuple(session) if level.includes(Level.CONTEXTUAL) else (),
    )


def _permitted_history(level: Level, history: Iterable[Interaction] | Touches) -> tuple[Interaction, ...] | Touches:
    if not level.includes(Level.BEHAVIORAL):
        return ()
    if isinstance(history, Touches):
        return history if level.includes(Level.INDIVIDUAL) else history.latest(BEHAVIORAL_WINDOW)
    oldest_first = sorted(history, key=lambda interaction: interaction.time)
    if level.includes(Level.INDIVIDUAL):
        return tuple(oldest_first)
    older, latest = oldest_first[:-BEHAVIORAL_WINDOW], oldest_first[-BEHAVIORAL_WINDOW:]
    missing = BEHAVIORAL_WINDOW - sum(interaction.liked for interaction in latest)
    liked_before = [interaction for interaction in older if interaction.liked]
    return (*liked_before[max(len(liked_before) - missing, 0) :], *latest)
