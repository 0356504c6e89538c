"""Differences between two policies, bundles or folders: the Rego line by line, the data path by path."""

import difflib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path
from typing import Any

from policies.authoring.folder import read_folder
from policies.authoring.lifecycle import PolicyRefused, find_policy
from policies.models import ActiveBundle, Bundle

ACTIVE = "active"
_SHORTEST_PREFIX = 6
_MOST_PATHS = 200
_MOST_LINES = 2000
_LONGEST_VALUE = 80


@dataclass(frozen=True)
class Side:
    """One side of a comparison. ``data`` of a policy or a folder is what it adds to the registers."""

    name: str
    policies: Mapping[str, str]
    data: Mapping[str, Any]


def find(name: str) -> Side:
    """Find ``active``, the beginning of a policy's or a bundle's digest, or a folder. Raises PolicyRefused."""
    if Path(name).is_dir():
        folder = read_folder(Path(name))
        return Side(name, folder.policies, folder.overlay)
    try:
        bundle = find_bundle(name)
    except PolicyRefused:
        policy = find_policy(name)
        return Side(str(policy), policy.modules, policy.overlay)
    return Side(str(bundle), bundle.policies, json.loads(bundle.data))


def find_bundle(beginning: str) -> Bundle:
    """Find the bundle in force, or the one whose revision begins so. Raises PolicyRefused."""
    if beginning == ACTIVE:
        active = ActiveBundle.objects.select_related("bundle").first()
        if active is None:
            raise PolicyRefused("No bundle is in force.")
        return active.bundle
    digits = beginning.removeprefix("sha256:")
    found = list(Bundle.objects.filter(revision__startswith=f"sha256:{digits}")[:2])
    if len(digits) < _SHORTEST_PREFIX or len(found) != 1:
        raise PolicyRefused(f"“{beginning}” is not the beginning of one bundle's revision.")
    return found[0]


def differences(before: Side, after: Side) -> Iterator[str]:
    """Return a unified diff of the Rego, then the paths of data that differ if both sides are complete bundles."""
    yield from rego_differences(before.policies, after.policies)
    if ("purposes" in before.data) == ("purposes" in after.data):
        paths = list(data_differences(before.data, after.data))
        yield from paths[:_MOST_PATHS]
        if len(paths) > _MOST_PATHS:
            yield f"... and {len(paths) - _MOST_PATHS} more paths."


def rego_differences(before: Mapping[str, str], after: Mapping[str, str]) -> Iterator[str]:
    for path in sorted({*before, *after}):
        old, new = before.get(path, "").splitlines(), after.get(path, "").splitlines()
        names = (f"a/{path}" if path in before else "/dev/null", f"b/{path}" if path in after else "/dev/null")
        if len(old) + len(new) <= _MOST_LINES:
            yield from difflib.unified_diff(old, new, *names, lineterm="")
        elif old != new:
            yield from _in_one_piece(old, new, names)


def _in_one_piece(old: list[str], new: list[str], names: tuple[str, str]) -> Iterator[str]:
    """Diff from the first to the last line that differ: a search for the shortest diff could take hours."""
    head = len(list(takewhile(lambda pair: pair[0] == pair[1], zip(old, new, strict=False))))
    old, new = old[head:], new[head:]
    rest = zip(reversed(old), reversed(new), strict=False)
    tail = len(list(takewhile(lambda pair: pair[0] == pair[1], rest)))
    old, new = old[: len(old) - tail], new[: len(new) - tail]
    yield from (f"--- {names[0]}", f"+++ {names[1]}", f"@@ -{head + 1},{len(old)} +{head + 1},{len(new)} @@")
    yield from (f"-{line}" for line in old)
    yield from (f"+{line}" for line in new)


def data_differences(before: Any, after: Any, path: str = "data") -> Iterator[str]:
    if before == after:
        return
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for name in sorted({*before, *after}):
            if name not in before:
                yield f"+ {path}.{name}: {_short(after[name])}"
            elif name not in after:
                yield f"- {path}.{name}: {_short(before[name])}"
            else:
                yield from data_differences(before[name], after[name], f"{path}.{name}")
    else:
        yield f"~ {path}: {_short(before)} -> {_short(after)}"


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, sort_keys=True)
    return text if len(text) <= _LONGEST_VALUE else f"{text[:_LONGEST_VALUE]}..."
