"""What must follow a withdrawal, registered by the packages above and called once the withdrawal is committed.

Losing such a call loses nothing: the sweep in ``privacy`` finds every withdrawal that has no disposal yet.
"""

import logging
from collections.abc import Callable, Sequence
from uuid import UUID

from django.db import transaction

logger = logging.getLogger(__name__)
Effect = Callable[[Sequence[UUID]], None]
_effects: list[Effect] = []


def on_withdrawal(effect: Effect) -> None:
    """Register a function that takes the ids of the withdrawn records."""
    if effect not in _effects:
        _effects.append(effect)


def announce_withdrawal(records: Sequence[UUID]) -> None:
    transaction.on_commit(lambda: _run(records))


def _run(records: Sequence[UUID]) -> None:
    for effect in _effects:
        try:
            effect(records)
        except Exception:
            logger.exception("An effect of a withdrawal failed; the sweep will repeat it")
