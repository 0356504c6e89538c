"""The embedded engine: regorus, in this process and thread. The only module that imports it."""

import threading
from functools import lru_cache

import regorus

from policies.bundles import LoadedBundle
from policies.engines.base import QUERY, EngineUndefined, Verdict, read_verdict

_KEPT_PER_THREAD = 4
_UNDEFINED = '"<undefined>"'


class EmbeddedEngine:
    """One regorus engine per thread, revision and package: its objects are bound to the thread that made them.

    An engine holds the modules of one package only, because each more makes every answer slower.
    """

    name = "embedded"

    def __init__(self) -> None:
        self._local = threading.local()

    def evaluate(self, bundle: LoadedBundle, facts: bytes, query: str = QUERY) -> Verdict:
        engine = self._engine(bundle, _package(query))
        try:
            engine.set_input_json(facts.decode())
            answer = engine.eval_rule_as_json(query)
        except Exception as exc:  # noqa: BLE001 (regorus raises bare exceptions; each of them is a denial)
            raise EngineUndefined(_first_line(exc)) from None
        if answer == _UNDEFINED:
            raise EngineUndefined("The policy gave no answer for these facts.")
        return read_verdict(answer, bundle.revision)

    def _engine(self, bundle: LoadedBundle, package: str) -> regorus.Engine:
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


@lru_cache(maxsize=16)
def _package(query: str) -> str:
    return query.removeprefix("data.").rpartition(".")[0]


def _load(bundle: LoadedBundle, package: str) -> regorus.Engine:
    engine = regorus.Engine()
    try:
        for path, text in bundle.policies.items():
            if _belongs(text, package):
                engine.add_policy(path, text)
        engine.add_data_json(bundle.data_json)
    except Exception as exc:  # noqa: BLE001
        raise EngineUndefined(_first_line(exc)) from None
    return engine


def _belongs(text: str, package: str) -> bool:
    """Whether a module is of the package. One that does not say is loaded, so that it fails as it does elsewhere."""
    stated = next((line for line in text.splitlines() if line.startswith("package ")), "")
    return not stated or stated.split()[1:2] == [package]


def _first_line(exc: Exception) -> str:
    return str(exc).split("Stack backtrace", 1)[0].strip().split("\n", 1)[0]
