"""OPA server as the engine. The only module that imports ``opa_client``, which brings aiohttp: .15 s for a process.

The revision a server holds is part of the data document (``data.revision``), and every answer carries it. An answer of
another revision is never used: the revision wanted is pushed, and the question asked once more. While a revision is
being exchanged the marker is gone, so a half-changed server answers nothing instead of a mixture.
"""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPException
from typing import Any
from urllib.parse import urlsplit

import msgspec
import requests
from opa_client import errors
from opa_client.opa import OpaClient

from policies.bundles.loading import LoadedBundle
from policies.bundles.packages import CONSENT
from policies.engines.base import (
    QUERY,
    EngineFailure,
    EngineTimeout,
    EngineUnavailable,
    EngineUndefined,
    Verdict,
    read_verdict,
)
from policies.engines.bounded import BoundedAdapter, Budget

_FOLDER = "assent/"
_MODULE = f"{_FOLDER}policy.rego"
_CONSENT = f"package {CONSENT}"
# The client writes "/data/" before this. OPA answers "/data/" itself with a redirect on which a PUT loses its body.
_ROOT = "../data"
_PUSH_TIMEOUT_S = 5.0
_MAX_ANSWER_BYTES = 1024 * 1024
_MAX_LISTING_BYTES = 64 * 1024 * 1024  # OPA lists its policies with their syntax trees


class BoundedClient(OpaClient):  # type: ignore[misc]  # opa_client ships no types
    """An OPA client whose exchanges, however many requests they are, stay within ``budget``; no retries."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options, retries=0)
        self.budget = Budget()
        for scheme in ("http://", "https://"):
            self._session.mount(scheme, BoundedAdapter(self.budget))


class OpaEngine:
    """One client per thread (a requests session is not safe to share); no retries of its own.

    ``timeout_ms`` bounds a question as a whole, in every case. With ``push`` off the server has to pull its bundles,
    and an answer of another revision than the one in force is a failure.
    """

    name = "opa"

    def __init__(self, url: str, *, timeout_ms: int, push: bool = True) -> None:
        parts = urlsplit(url)
        self._options: dict[str, Any] = {
            "host": parts.hostname or "localhost",
            "port": parts.port or (443 if parts.scheme == "https" else 80),
            "ssl": parts.scheme == "https",
        }
        self._timeout_s = timeout_ms / 1000
        self._may_push = push
        self._local = threading.local()
        self._pushing = threading.Lock()
        # Compiling takes OPA longer than deciding; giving up on it would only begin it anew.
        self._push_timeout_s = max(self._timeout_s, _PUSH_TIMEOUT_S)
        self._pusher = BoundedClient(**self._options)

    def evaluate(self, bundle: LoadedBundle, facts: bytes, query: str = QUERY) -> Verdict:
        document = msgspec.json.decode(facts)
        try:
            return self._ask(document, bundle.revision, query)
        except (EngineTimeout, EngineUndefined):
            raise
        except EngineFailure:
            if not self._may_push:
                raise
            return self._ask_after_push(document, bundle, query)

    def held_revision(self) -> str | None:
        """Return the revision the server reports, or None where it reports none. Bounded like a question."""
        client = self._client()
        client.budget.start(seconds=self._timeout_s, max_bytes=_MAX_ANSWER_BYTES)
        return _marker(client)

    def hold(self, bundle: LoadedBundle) -> bool:
        """Return whether the server holds the revision, after a push to a server that takes pushes."""
        if self.held_revision() == bundle.revision:
            return True
        # A server that is silent would be silent through the longer patience of a push as well.
        if not self._may_push or self._client().budget.is_over:
            return False
        try:
            with self._turn_to_push() as ends:
                if self.held_revision() != bundle.revision:
                    self._push(bundle, ends)
        except EngineFailure:
            return False
        return self.held_revision() == bundle.revision

    def _ask_after_push(self, document: dict[str, Any], bundle: LoadedBundle, query: str) -> Verdict:
        """Push under a lock, unless another thread has pushed since: a push stops the others' answers."""
        with self._turn_to_push() as ends:
            try:
                return self._ask(document, bundle.revision, query)
            except (EngineTimeout, EngineUndefined):
                raise
            except EngineFailure:
                self._push(bundle, ends)
                return self._ask(document, bundle.revision, query)

    @contextmanager
    def _turn_to_push(self) -> Iterator[float]:
        """Wait for the turn; yield when waiting and pushing together must have ended. Raises EngineTimeout."""
        ends = time.monotonic() + self._push_timeout_s
        if not self._pushing.acquire(timeout=self._push_timeout_s):
            raise EngineTimeout("OPA is still being given a bundle.")
        try:
            yield ends
        finally:
            self._pushing.release()

    def _ask(self, document: dict[str, Any], revision: str, query: str) -> Verdict:
        package, _, rule = query.removeprefix("data.").rpartition(".")
        client = self._client()
        client.budget.start(seconds=self._timeout_s, max_bytes=_MAX_ANSWER_BYTES)
        try:
            answer = client.query_rule(input_data=document, package_path=package, rule_name=rule)
        except (OSError, errors.ConnectionsError, ValueError, HTTPException) as exc:
            if isinstance(exc, requests.Timeout) or client.budget.is_over:
                raise EngineTimeout("OPA did not answer in time.") from exc
            raise EngineUnavailable("OPA cannot be asked.") from exc
        # OPA omits "result" when the rule is undefined, so absence is a denial.
        if not isinstance(answer, dict) or "result" not in answer:
            raise self._no_answer(client, revision)
        try:
            return read_verdict(msgspec.json.encode(answer["result"]), revision)
        except EngineUndefined:
            raise self._no_answer(client, revision) from None

    def _no_answer(self, client: BoundedClient, revision: str) -> EngineFailure:
        """Return the failure: a server of this revision has no answer; any other has failed."""
        if _marker(client) == revision:
            return EngineUndefined("The policy gave no answer for these facts.")
        return EngineUnavailable("OPA holds another revision, or none.")

    def _push(self, bundle: LoadedBundle, ends: float) -> None:
        """Push another revision: take the marker away, exchange the policies, then all data at once."""
        self._pusher.budget.start(seconds=ends - time.monotonic(), max_bytes=_MAX_LISTING_BYTES)
        try:
            self._pusher.update_or_create_data({}, _ROOT)
            self._push_policies(bundle)
            self._pusher.update_or_create_data(bundle.data, _ROOT)
        except requests.Timeout as exc:
            raise EngineTimeout("OPA did not take the bundle in time.") from exc
        except errors.RegoParseError as exc:
            raise EngineUndefined("OPA refused a policy of the bundle.") from exc
        except Exception as exc:
            if self._pusher.budget.is_over:
                raise EngineTimeout("OPA did not take the bundle in time.") from exc
            # The client stumbles in ways of its own over what a server says that is no OPA.
            raise EngineUnavailable("OPA cannot be given the bundle.") from exc

    def _push_policies(self, bundle: LoadedBundle) -> None:
        modules = _modules(bundle.policies)
        for name, text in modules.items():
            self._pusher.update_policy_from_string(text, name, rego_compat=False)
        for name in self._pusher.get_policies_list():
            if name.startswith(_FOLDER) and name not in modules:
                self._pusher.delete_policy(name)

    def _client(self) -> BoundedClient:
        client: BoundedClient | None = getattr(self._local, "client", None)
        if client is None:
            client = self._local.client = BoundedClient(**self._options)
        return client


def _marker(client: BoundedClient) -> str | None:
    try:
        answer = client.get_data("revision")
    except Exception:  # noqa: BLE001 (with any fault, the server does not hold what was asked for)
        return None
    revision = answer.get("result") if isinstance(answer, dict) else None
    return revision if isinstance(revision, str) else None


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
