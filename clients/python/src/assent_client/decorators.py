"""Functions that run only when Assent permits it."""

import functools
import inspect
from collections.abc import Awaitable, Callable, Collection, Mapping
from typing import Any, ParamSpec, TypeVar, cast

from assent_client.clients import Assent, AsyncAssent
from assent_client.questions import Question

Given = ParamSpec("Given")
Result = TypeVar("Result")
Ask = Callable[..., Question | Mapping[str, Any]]


def requires_decision(
    client: Assent | AsyncAssent, ask: Ask, *, fulfils: Collection[str] = ()
) -> Callable[[Callable[Given, Result]], Callable[Given, Result]]:
    """Ask before each call; ``ask`` makes the question out of the function's own arguments.

    Raises NotPermitted for a denial and AssentError where no answer came: the function does not run then. An
    ``async def`` needs an ``AsyncAssent``, another function an ``Assent``.
    """

    def decorate(function: Callable[Given, Result]) -> Callable[Given, Result]:
        if inspect.iscoroutinefunction(function):
            if not isinstance(client, AsyncAssent):
                raise TypeError("An async function needs an AsyncAssent.")
            return cast("Callable[Given, Result]", _awaited(function, client, ask, fulfils))
        if not isinstance(client, Assent):
            raise TypeError("A function that is not async needs an Assent.")

        @functools.wraps(function)
        def run(*args: Given.args, **kwargs: Given.kwargs) -> Result:
            client.decide(ask(*args, **kwargs)).require(fulfils=fulfils)
            return function(*args, **kwargs)

        return run

    return decorate


def _awaited(
    function: Callable[..., Awaitable[Any]], client: AsyncAssent, ask: Ask, fulfils: Collection[str]
) -> Callable[..., Awaitable[Any]]:
    @functools.wraps(function)
    async def run(*args: Any, **kwargs: Any) -> Any:
        (await client.decide(ask(*args, **kwargs))).require(fulfils=fulfils)
        return await function(*args, **kwargs)

    return run
