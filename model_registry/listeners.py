"""What packages above do after a step of a version, in its transaction: they register it in ``ready``."""

from collections.abc import Callable

from model_registry.models import ModelVersion

Listener = Callable[[ModelVersion, str, str], None]

_listeners: list[Listener] = []


def add(listener: Listener) -> None:
    """Register what is called with the version, its new status and the actor. Called in ``AppConfig.ready()``."""
    if listener not in _listeners:
        _listeners.append(listener)


def stepped(version: ModelVersion, status: str, actor: str) -> None:
    """Call what is registered."""
    for listener in _listeners:
        listener(version, status, actor)
