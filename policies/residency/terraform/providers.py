"""Regions of the configured providers: constants, and variables followed through the calls of modules.

A plan names what an expression refers to, not the expression. So only what can be nothing but one whole variable is
resolved, and only to a region that the table knows; every other region is unstated.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from policies.residency import regions
from policies.residency.placements import list_of, mapping_of, text_of

_MAX_MODULE_DEPTH = 30
_STEP = re.compile(r'\.([A-Za-z_][A-Za-z0-9_-]*)|\[([0-9]+)\]|\["([^"\\]*)"\]')
_VARIABLE = re.compile(r"var\.([A-Za-z_][A-Za-z0-9_-]*)(.*)")
_ALIASES = {"google-beta": "google", "awscc": "aws"}


@dataclass(frozen=True)
class ProviderPlace:
    region: str = ""
    zone: str = ""


def provider_places(configuration: Mapping[str, Any], variables: Mapping[str, Any]) -> dict[str, ProviderPlace]:
    """Return the places by the keys resources use; that of a module begins with the module's address."""
    scopes = _Scopes(configuration, variables)
    found = {}
    for key, provider in mapping_of(configuration.get("provider_config")).items():
        module = _module_path(text_of(mapping_of(provider).get("module_address")) or _module_of(str(key)))
        expressions = mapping_of(mapping_of(provider).get("expressions"))
        name = text_of(mapping_of(provider).get("name")) or str(key).rpartition(":")[2].split(".")[0]
        region, zone = (
            scopes.region(_ALIASES.get(name, name), expressions.get(argument), module)
            for argument in ("region", "zone")
        )
        found[str(key)] = ProviderPlace(region, zone)
    return found


class _Scopes:
    """The variables of the root and of each module call."""

    def __init__(self, configuration: Mapping[str, Any], variables: Mapping[str, Any]) -> None:
        self._variables = variables
        self._calls = dict(_calls(mapping_of(configuration.get("root_module")), (), 0))

    def region(self, provider: str, expression: Any, module: tuple[str, ...]) -> str:
        """Return the region an argument of a provider is known to have; empty where it is not."""
        constant = text_of(mapping_of(expression).get("constant_value"))
        if constant:
            return constant.lower()
        named = text_of(self._value(expression, module)).lower()
        return named if regions.group_of(provider, named) else ""

    def _value(self, expression: Any, module: tuple[str, ...]) -> Any:
        expression = mapping_of(expression)
        if "constant_value" in expression:
            return expression["constant_value"]
        variable = _only_variable([text_of(each) for each in list_of(expression.get("references"))])
        if variable is None:
            return None
        name, steps = variable
        return _walk(self._variable(name, module), steps)

    def _variable(self, name: str, module: tuple[str, ...]) -> Any:
        if not module:
            return mapping_of(self._variables.get(name)).get("value")
        call = self._calls.get(module, {})
        given = mapping_of(call.get("expressions"))
        if name in given:
            return self._value(given[name], module[:-1])
        declared = mapping_of(mapping_of(call.get("module")).get("variables"))
        return mapping_of(declared.get(name)).get("default")


def _calls(
    module: Mapping[str, Any], path: tuple[str, ...], depth: int
) -> Iterator[tuple[tuple[str, ...], Mapping[str, Any]]]:
    if depth > _MAX_MODULE_DEPTH:  # the reader of the plan refuses it
        return
    for name, call in mapping_of(module.get("module_calls")).items():
        here = (*path, str(name))
        yield here, mapping_of(call)
        yield from _calls(mapping_of(mapping_of(call).get("module")), here, depth + 1)


def _module_of(key: str) -> str:
    return key.rpartition(":")[0]


def _module_path(address: str) -> tuple[str, ...]:
    return tuple(part for part in address.split(".") if part != "module") if address else ()


def _only_variable(references: list[str]) -> tuple[str, str] | None:
    """Return name and steps, if the references can be those of one variable: each is the beginning of the last."""
    if not references or any(
        len(later) >= len(earlier) or not earlier.startswith(later) for earlier, later in pairwise(references)
    ):
        return None
    match = _VARIABLE.fullmatch(references[0])
    return (match[1], match[2]) if match else None


def _walk(value: Any, steps: str) -> Any:
    end = 0
    for step in _STEP.finditer(steps):
        if step.start() != end:
            return None
        end = step.end()
        if step[2]:
            items = list_of(value)
            value = items[int(step[2])] if int(step[2]) < len(items) else None
        else:
            value = mapping_of(value).get(step[1] or step[3])
    return value if end == len(steps) else None
