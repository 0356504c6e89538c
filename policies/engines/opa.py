"""An OPA server as the engine. The only module that imports ``opa_client``.

The server is told which revision it holds by the data document itself (``data.revision``), and every answer carries it.
An answer of another revision is never used: the revision wanted is pushed, and the question asked once more. While a
revision is being exchanged the marker is gone, so a half-changed server answers nothing instead of a mixture.
"""

import threading
from typing import Any
from urllib.parse import urlsplit

import msgspec
import requests
from opa_client import errors
from opa_client.opa import OpaClient

from policies.bundles import LoadedBundle
from policies.engines.base import (
    QUERY,
    EngineFailure,
    EngineTimeout,
    EngineUnavailable,
    EngineUndefined,
    Verdict,
    read_verdict,
)
from policies.packages import CONSENT

_FOLDER = "assent/"
_MODULE = f"{_FOLDER}policy.rego"
_CONSENT = f"package {CONSENT}"
# The client writes "/data/" before this. OPA answers "/data/" itself with a redirect on which a PUT loses its body.
_ROOT = "../data"
_PUSH_TIMEOUT_S = 5.0


class OpaEngine:
    """One client per thread (a requests session is not safe to share); no retries of its own."""

    name = "opa"

    def __init__(self, url: str, *, timeout_ms: int) -> None:
        parts = urlsplit(url)
        self._options: dict[str, Any] = {
            "host": parts.hostname or "localhost",
            "port": parts.port or (443 if parts.scheme == "https" else 80),
            "ssl": parts.scheme == "https",
            "timeout": timeout_ms / 1000,
            "retries": 0,
        }
        self._local = threading.local()
        self._pushing = threading.Lock()
        # Compiling takes OPA longer than deciding; giving up on it would only begin it anew.
        self._pusher = OpaClient(**{**self._options, "timeout": max(timeout_ms / 1000, _PUSH_TIMEOUT_S)})

    def evaluate(self, bundle: LoadedBundle, facts: bytes, query: str = QUERY) -> Verdict:
        document = msgspec.json.decode(facts)
        try:
            return self._ask(document, bundle.revision, query)
        except EngineTimeout:
            raise
        except EngineFailure:
            return self._ask_after_push(document, bundle, query)

    def _ask_after_push(self, document: dict[str, Any], bundle: LoadedBundle, query: str) -> Verdict:
        """Push under a lock, unless another thread has pushed meanwhile: a push stops the others' answers."""
        with self._pushing:
            try:
                return self._ask(document, bundle.revision, query)
            except EngineTimeout:
                raise
            except EngineFailure:
                self._push(bundle)
                return self._ask(document, bundle.revision, query)

    def _ask(self, document: dict[str, Any], revision: str, query: str) -> Verdict:
        package, _, rule = query.removeprefix("data.").rpartition(".")
        try:
            answer = self._client().query_rule(input_data=document, package_path=package, rule_name=rule)
        except requests.Timeout as exc:
            raise EngineTimeout("OPA did not answer in time.") from exc
        except (requests.RequestException, errors.ConnectionsError, ValueError) as exc:
            raise EngineUnavailable("OPA cannot be asked.") from exc
        # OPA omits "result" when the rule is undefined, so absence is a denial.
        if not isinstance(answer, dict) or "result" not in answer:
            raise EngineUndefined("The policy gave no answer for these facts.")
        return read_verdict(msgspec.json.encode(answer["result"]), revision)

    def _push(self, bundle: LoadedBundle) -> None:
        """Give the server another revision: take the marker away, exchange the policies, then all data at once."""
        try:
            self._pusher.update_or_create_data({}, _ROOT)
            self._push_policies(bundle)
            self._pusher.update_or_create_data(bundle.data, _ROOT)
        except requests.Timeout as exc:
            raise EngineTimeout("OPA did not take the bundle in time.") from exc
        except errors.RegoParseError as exc:
            raise EngineUndefined("OPA refused a policy of the bundle.") from exc
        except Exception as exc:
            # The client stumbles in ways of its own over what a server says that is no OPA.
            raise EngineUnavailable("OPA cannot be given the bundle.") from exc

    def _push_policies(self, bundle: LoadedBundle) -> None:
        modules = _modules(bundle.policies)
        for name, text in modules.items():
            self._pusher.update_policy_from_string(text, name, rego_compat=False)
        for name in self._pusher.get_policies_list():
            if name.startswith(_FOLDER) and name not in modules:
                self._pusher.delete_policy(name)

    def _client(self) -> OpaClient:
        client: OpaClient | None = getattr(self._local, "client", None)
        if client is None:
            client = self._local.client = OpaClient(**self._options)
        return client


def _modules(policies: dict[str, str]) -> dict[str, str]:
    """Join the modules of each package: OPA compiles what it is given at once, and they refer to each other.

    One document a package also leaves nothing of an earlier revision behind.
    """
    packages: dict[str, list[str]] = {}
    for text in policies.values():
        lines = text.splitlines()
        package = next((line for line in lines if line.startswith("package ")), "")
        packages.setdefault(package, []).extend(line for line in lines if line != package)
    return {_module_name(package): "\n".join([package, *lines]) for package, lines in packages.items()}


def _module_name(package: str) -> str:
    return _MODULE if package in ("", _CONSENT) else f"{_FOLDER}{package.removeprefix('package ').strip()}.rego"
