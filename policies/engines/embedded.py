"""The embedded engine: regorus, in this process and thread. The only module that imports it."""

import threading
from typing import TYPE_CHECKING

import regorus

from policies.engines.base import QUERY, EngineUndefined, Verdict, read_verdict

if TYPE_CHECKING:
    from policies.bundles import LoadedBundle

_KEPT_PER_THREAD = 2
_UNDEFINED = '"<undefined>"'


class EmbeddedEngine:
    """One regorus engine per thread and revision: its objects are bound to the thread that made them."""

    name = "embedded"

    def __init__(self) -> None:
        self._local = threading.local()

    def evaluate(self, bundle: "LoadedBundle", facts: bytes, query: str = QUERY) -> Verdict:
        engine = self._engine(bundle)
        try:
            engine.set_input_json(facts.decode())
            answer = engine.eval_rule_as_json(query)
        except Exception as exc:  # noqa: BLE001 (regorus raises bare exceptions; each of them is a denial)
            raise EngineUndefined(_in_a_line(exc)) from None
        if answer == _UNDEFINED:
            raise EngineUndefined("The policy gave no answer for these facts.")
        return read_verdict(answer, bundle.revision)

    def _engine(self, bundle: "LoadedBundle") -> regorus.Engine:
        engines: dict[str, regorus.Engine] | None = getattr(self._local, "engines", None)
        if engines is None:
            engines = self._local.engines = {}
        engine = engines.get(bundle.revision)
        if engine is None:
            engine = engines[bundle.revision] = _load(bundle)
            for old in list(engines)[:-_KEPT_PER_THREAD]:
                del engines[old]
        return engine


def _load(bundle: "LoadedBundle") -> regorus.Engine:
    engine = regorus.Engine()
    try:
        for path, text in bundle.policies.items():
            engine.add_policy(path, text)
        engine.add_data_json(bundle.data_json)
    except Exception as exc:  # noqa: BLE001
        raise EngineUndefined(_in_a_line(exc)) from None
    return engine


def _in_a_line(exc: Exception) -> str:
    """Where, and what: the engine draws a picture around both."""
    lines = [line.strip() for line in str(exc).split("Stack backtrace", 1)[0].splitlines() if line.strip()]
    where = next((line.removeprefix("-->").strip() for line in lines if line.startswith("-->")), "")
    what = next((line for line in lines if line.startswith("error:")), lines[0] if lines else "")
    return f"{where}: {what}" if where and not what.startswith("-->") else what.removeprefix("-->").strip()
