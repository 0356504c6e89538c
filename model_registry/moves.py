"""Notification of the life cycle to the packages above: a version took another status.

A rollout, for example, ends when its canary is suspended. It runs in the transaction of the step, after its rows are
saved and before it is published.
"""

from collections.abc import Callable

from model_registry.models import ModelVersion

Listener = Callable[[ModelVersion, str, str], None]  # the version, its status before, and the actor

_listeners: list[Listener] = []


def listen(listener: Listener) -> None:
    """Call a function after each step of a version. Called in ``AppConfig.ready()``."""
    if listener not in _listeners:
        _listeners.append(listener)


def tell(version: ModelVersion, before: str, actor: str) -> None:
    for listener in _listeners:
        listener(version, before, actor)
