"""Tests with a small form in the ordinary suite and a large one that only ``./assent test --long`` runs."""

import inspect
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings

Test = Callable[..., None]


def scale(argument: str, *, small: Any, long: Any) -> pytest.MarkDecorator:
    """Run a test with ``small`` as its ``argument``, and with ``long`` where long tests are asked for."""
    return pytest.mark.parametrize(
        argument, [pytest.param(small, id="small"), pytest.param(long, id="long", marks=pytest.mark.long)]
    )


def property_test(
    small: int, long: int, /, *, like: settings | None = None, **strategies: Any
) -> Callable[[Test], Test]:
    """Try a property with ``small`` generated examples, and with ``long`` of them where long tests are asked for.

    ``like`` holds Hypothesis' other settings; arguments without a strategy are fixtures and parameters.
    """
    rest = like or settings()

    def decorate(holds: Test) -> Test:
        def test(examples: int, **others: Any) -> None:
            settings(rest, max_examples=examples)(given(**strategies)(holds))(**others)

        # pytest reads the arguments it has to provide from the signature.
        wanted = inspect.signature(holds).parameters.values()
        others = [parameter for parameter in wanted if parameter.name not in strategies]
        examples = inspect.Parameter("examples", inspect.Parameter.POSITIONAL_OR_KEYWORD)
        test.__signature__ = inspect.Signature([examples, *others])  # type: ignore[attr-defined]
        test.__name__, test.__doc__, test.__module__ = holds.__name__, holds.__doc__, holds.__module__
        return scale("examples", small=small, long=long)(test)

    return decorate
