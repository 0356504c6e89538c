"""Embedded engine: regorus, in this process and thread; in service ``isolated`` keeps it in processes of its own.

Only ``authoring.sandbox`` imports regorus as well.
"""

import json
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import regorus

from policies.engines.base import QUERY, EngineUndefined, Verdict, read_verdict

if TYPE_CHECKING:
    from policies.bundles.loading import LoadedBundle

_KEPT_PER_THREAD = 6  # two packages, under the active revision, a candidate, and the ones before them
_UNDEFINED = '"<undefined>"'


class EmbeddedEngine:
    """One regorus engine per thread, revision and package: its objects are bound to the thread that made them.

    An engine holds the modules of one package only, because each more makes every answer slower.
    """

    name = "embedded"

    def __init__(self) -> None:
        self._local = threading.local()

    def evaluate(self, bundle: "LoadedBundle", facts: bytes, query: str = QUERY) -> Verdict:
        return read_verdict(self.answer(bundle, facts, query), bundle.revision)

    def prepare(self, bundle: "LoadedBundle", query: str) -> None:
        """Parse the modules of the query, so that asking is nothing but evaluating. Raises EngineUndefined."""
        self._engine(bundle, _package(query))

    def answer(self, bundle: "LoadedBundle", facts: bytes, query: str) -> str:
        """Return the value of the rule as JSON, of any type. Raises EngineUndefined where it has none."""
        engine = self._engine(bundle, _package(query))
        try:
            engine.set_input_json(facts.decode())
            answer: str = engine.eval_rule_as_json(query)
        except Exception as exc:  # noqa: BLE001 (regorus raises bare exceptions; each of them is a denial)
            raise EngineUndefined(_in_a_line(exc)) from None
        if answer == _UNDEFINED:
            raise EngineUndefined("The policy gave no answer for these facts.")
        return answer

    def _engine(self, bundle: "LoadedBundle", package: str) -> regorus.Engine:
        engines: dict[tuple[str, str], regorus.Engine] | None = getattr(self._local, "engines", None)
        if engines is None:
            engines = self._local.engines = {}
        key = (bundle.revision, package)
        engine = engines.get(key)
        if engine is None:
            engine = engines[key] = _load(bundle, package)
            for old in list(engines)[:-_KEPT_PER_THREAD]:
                del engines[old]
        return engine


@dataclass(frozen=True)
class Explained:
    """Coverage of an evaluation: lines (module, number), and the values of the rules that have one."""

    covered: frozenset[tuple[str, int]]
    values: dict[str, Any]


def explain(bundle: "LoadedBundle", facts: bytes, *, package: str, more: str, rules: Sequence[str]) -> Explained:
    """Evaluate once more on an engine of its own. ``more`` is a module that is added to the bundle's.

    Raises EngineUndefined.
    """
    engine = _load(bundle, package)
    try:
        engine.add_policy("explanation.rego", more)
        engine.set_input_json(facts.decode())
        engine.set_enable_coverage(True)
        engine.eval_rule_as_json(f"data.{package}.answer")
        report = json.loads(engine.get_coverage_report_as_json())
        engine.set_enable_coverage(False)
        answers = {rule: engine.eval_rule_as_json(f"data.{package}.{rule}") for rule in rules}
    except Exception as exc:  # noqa: BLE001
        raise EngineUndefined(_in_a_line(exc)) from None
    covered = frozenset((module["path"], line) for module in report["files"] for line in module["covered"])
    return Explained(covered, {rule: json.loads(told) for rule, told in answers.items() if told != _UNDEFINED})


@lru_cache(maxsize=16)
def _package(query: str) -> str:
    return query.removeprefix("data.").rpartition(".")[0]


def _load(bundle: "LoadedBundle", package: str) -> regorus.Engine:
    engine = regorus.Engine()
    try:
        for path, text in bundle.policies.items():
            if _belongs(text, package):
                engine.add_policy(path, text)
        engine.add_data_json(bundle.data_json)
    except Exception as exc:  # noqa: BLE001
        raise EngineUndefined(_in_a_line(exc)) from None
    return engine


def _belongs(text: str, package: str) -> bool:
    """Return whether a module is of the package. One that does not say is loaded, so that it fails as elsewhere."""
    stated = next((line for line in text.splitlines() if line.startswith("package ")), "")
    return not stated or stated.split()[1:2] == [package]


def _in_a_line(exc: Exception) -> str:
    """Return place and message in one line: the engine draws a picture around both."""
    lines = [line.strip() for line in str(exc).split("Stack backtrace", 1)[0].splitlines() if line.strip()]
    where = next((line.removeprefix("-->").strip() for line in lines if line.startswith("-->")), "")
    what = next((line for line in lines if line.startswith("error:")), lines[0] if lines else "")
    return f"{where}: {what}" if where and not what.startswith("-->") else what.removeprefix("-->").strip()
