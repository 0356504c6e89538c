"""The embedded engine: regorus, in this process and thread. Beside it only ``authoring.confined`` imports regorus."""

import threading

import regorus

from policies.bundles import LoadedBundle
from policies.engines.base import QUERY, EngineUndefined, Verdict, read_verdict

_KEPT_PER_THREAD = 2
_UNDEFINED = '"<undefined>"'


class EmbeddedEngine:
    """One regorus engine per thread and revision: its objects are bound to the thread that made them."""

    name = "embedded"

    def __init__(self) -> None:
        self._local = threading.local()

    def evaluate(self, bundle: LoadedBundle, facts: bytes, query: str = QUERY) -> Verdict:
        engine = self._engine(bundle)
        try:
            engine.set_input_json(facts.decode())
            answer = engine.eval_rule_as_json(query)
        except Exception as exc:  # noqa: BLE001 (regorus raises bare exceptions; each of them is a denial)
            raise EngineUndefined(_first_line(exc)) from None
        if answer == _UNDEFINED:
            raise EngineUndefined("The policy gave no answer for these facts.")
        return read_verdict(answer, bundle.revision)

    def _engine(self, bundle: LoadedBundle) -> regorus.Engine:
        engines: dict[str, regorus.Engine] | None = getattr(self._local, "engines", None)
        if engines is None:
            engines = self._local.engines = {}
        engine = engines.get(bundle.revision)
        if engine is None:
            engine = engines[bundle.revision] = _load(bundle)
            for old in list(engines)[:-_KEPT_PER_THREAD]:
                del engines[old]
        return engine


def _load(bundle: LoadedBundle) -> regorus.Engine:
    engine = regorus.Engine()
    try:
        for path, text in bundle.policies.items():
            engine.add_policy(path, text)
        engine.add_data_json(bundle.data_json)
    except Exception as exc:  # noqa: BLE001
        raise EngineUndefined(_first_line(exc)) from None
    return engine


def _first_line(exc: Exception) -> str:
    return str(exc).split("Stack backtrace", 1)[0].strip().split("\n", 1)[0]
