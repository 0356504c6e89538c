"""Change notification from the registers to the policy layer, without importing upwards.

Registers of the lower packages (purposes, notices, models, retention, residency) are part of every policy bundle.
Their services call ``changed()`` inside the transaction that changes a row; the publisher registered by ``policies``
builds and activates a new revision in that same transaction. If it fails, the change fails too: a register and the
bundle in force never disagree.
"""

from collections.abc import Callable

Publisher = Callable[[str, str], str]

Follower = Callable[[str, str], None]

_publishers: list[Publisher] = []
_followers: list[Follower] = []
_turns: list[Callable[[], None]] = []


def add_publisher(publisher: Publisher) -> None:
    """Register a function that is called with the reason and the actor of every change; it returns the revision."""
    if publisher not in _publishers:
        _publishers.append(publisher)


def add_follower(follower: Follower) -> None:
    """Register what a change leads to besides the bundle, in the same transaction: called with reason and actor."""
    if follower not in _followers:
        _followers.append(follower)


def use_turns(wait: Callable[[], None]) -> None:
    """Register what waits for other publishers until the transaction ends."""
    if wait not in _turns:
        _turns.append(wait)


def take_turn() -> None:
    """Wait for other publishers, before any row is locked: whoever holds rows and then waits could stop the others."""
    for wait in _turns:
        wait()


def changed(*, reason: str, actor: str) -> str:
    """Publish the registers as they are now and return the revision. Call it inside the transaction of the change."""
    for follow in _followers:
        follow(reason, actor)
    revision = ""
    for publish in _publishers:
        revision = publish(reason, actor)
    return revision
