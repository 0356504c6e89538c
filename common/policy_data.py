"""Change notification from the registers to the policy layer, without importing upwards.

Registers of the lower packages (purposes, notices, models, retention, residency) are part of every policy bundle.
Their services call ``changed()`` inside the transaction that changes a row; the publisher registered by ``policies``
builds and activates a new revision in that same transaction. If it fails, the change fails too: a register and the
bundle in force never disagree.
"""

from collections.abc import Callable

Publisher = Callable[[str, str], object]

_publishers: list[Publisher] = []


def add_publisher(publisher: Publisher) -> None:
    """Register a function that is called with the reason and the actor of every change."""
    if publisher not in _publishers:
        _publishers.append(publisher)


def changed(*, reason: str, actor: str) -> None:
    """Publish the registers as they are now. Call it inside the transaction of the change."""
    for publish in _publishers:
        publish(reason, actor)
