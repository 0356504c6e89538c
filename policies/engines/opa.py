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

_PACKAGE, _, _RULE = QUERY.removeprefix("data.").rpartition(".")


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

    def evaluate(self, bundle: LoadedBundle, facts: bytes) -> Verdict:
        document = msgspec.json.decode(facts)
        try:
            return self._ask(document, bundle.revision)
        except EngineTimeout:
            raise
        except EngineFailure:
            self._push(bundle)
            return self._ask(document, bundle.revision)

    def _ask(self, document: dict[str, Any], revision: str) -> Verdict:
        try:
            answer = self._client().query_rule(input_data=document, package_path=_PACKAGE, rule_name=_RULE)
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
        with self._pushing:
            client = self._client()
            try:
                client.update_or_create_data({}, "")
                for path, text in bundle.policies.items():
                    client.update_policy_from_string(text, f"assent/{path}", rego_compat=False)
                client.update_or_create_data(bundle.data, "")
            except requests.Timeout as exc:
                raise EngineTimeout("OPA did not take the bundle in time.") from exc
            except (requests.RequestException, errors.ConnectionsError, ValueError) as exc:
                raise EngineUnavailable("OPA cannot be given the bundle.") from exc
            except errors.RegoParseError as exc:
                raise EngineUndefined("OPA refused a policy of the bundle.") from exc

    def _client(self) -> OpaClient:
        client: OpaClient | None = getattr(self._local, "client", None)
        if client is None:
            client = self._local.client = OpaClient(**self._options)
        return client
