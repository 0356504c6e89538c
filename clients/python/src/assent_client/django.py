"""A permission class for Django REST framework. It needs nothing of Django itself, so it works in plain views, too."""

from collections.abc import Callable, Collection, Mapping
from typing import Any

from assent_client.clients import Assent
from assent_client.questions import Question

_NEVER = "Assent did not permit this."


class DecisionPermission:
    """Permit a request only if Assent does; no answer is a no. Make one for each question with ``asking``."""

    message = _NEVER
    client: Assent
    fulfils: Collection[str] = ()

    @classmethod
    def asking(
        cls,
        client: Assent,
        ask: Callable[[Any, Any], Question | Mapping[str, Any] | None],
        *,
        fulfils: Collection[str] = (),
    ) -> "type[DecisionPermission]":
        """Return a class for ``permission_classes``. ``ask(request, view)`` makes the question; None is a no."""
        members = {"client": client, "question": staticmethod(ask), "fulfils": frozenset(fulfils)}
        return type(cls.__name__, (cls,), members)

    @staticmethod
    def question(request: Any, view: Any) -> Question | Mapping[str, Any] | None:
        raise NotImplementedError("Make a permission class with DecisionPermission.asking(client, ask).")

    def has_permission(self, request: Any, view: Any) -> bool:
        question = self.question(request, view)
        return question is not None and self.client.allowed(question, fulfils=self.fulfils)

    def has_object_permission(self, request: Any, view: Any, obj: Any) -> bool:
        # What depends on the object is asked in the view, with ``client.decide``.
        return True
