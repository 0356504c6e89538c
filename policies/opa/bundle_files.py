"""Files for OPA servers that pull: the revision in force, and the servers' configuration.

A server trusts one key by name (where none is named, OPA takes an unsigned bundle as well), so each usable key has
files of its own: rotating takes the bundle away from no server.
"""

from collections.abc import Callable, Sequence
from typing import Any

from django.conf import settings

from policies.bundles import bundle_file
from policies.bundles.bundle_keys import BundleKey
from policies.bundles.loading import LoadedBundle

# What a signature is good for: neither stands in for the other, nor does a file of ``policy build`` for either.
IN_FORCE, DISCOVERY = "assent/in-force", "assent/discovery"
# The bundle owns everything below "data": a server that pulls it takes policies and data from nowhere else.
_ROOTS = [""]
_KEPT = 8
_packed: dict[tuple[Any, ...], bytes] = {}


def tarball(bundle: LoadedBundle, key: BundleKey | None) -> bytes:
    """Return the revision for servers that pull, unsigned where no key is given. Kept once made."""

    def files() -> dict[str, bytes]:
        return bundle_file.contents(bundle.revision, bundle.policies, bundle.data, roots=_ROOTS)

    return _kept((IN_FORCE, bundle.revision), files, key)


def discovery(keys: Sequence[BundleKey], key: BundleKey | None) -> bytes:
    """Return the configuration for a server that knows the service ``assent`` and its token; current key first."""
    configuration = _configuration(keys)
    document = bundle_file.json_of(configuration)
    return _kept((DISCOVERY, document), lambda: {"data.json": document}, key)


def _configuration(keys: Sequence[BundleKey]) -> dict[str, Any]:
    """Return the configuration without services: OPA takes no change of its first one, and tokens stay out."""
    polling: dict[str, int] = {"min_delay_seconds": 2, "max_delay_seconds": 5}
    if settings.OPA_LONG_POLL_S and settings.OPA_LONG_POLL_WAITERS:
        polling["long_polling_timeout_seconds"] = settings.OPA_LONG_POLL_S
    current = keys[0]
    return {
        "keys": {key.kid: key.for_opa() for key in keys},
        "bundles": {
            "assent": {
                "service": "assent",
                "resource": f"bundles/{current.kid}/active.tar.gz",
                "signing": {"keyid": current.kid, "scope": IN_FORCE},
                "polling": polling,
            }
        },
        "decision_logs": {
            "service": "assent",
            "reporting": {"min_delay_seconds": 5, "max_delay_seconds": 15, "buffer_size_limit_bytes": 64 * 1024 * 1024},
        },
        "status": {"service": "assent"},
    }


def _kept(what: tuple[Any, ...], files: Callable[[], dict[str, bytes]], key: BundleKey | None) -> bytes:
    name = (*what, key.kid if key else None)
    packed = _packed.get(name)
    if packed is None:
        packed = _packed[name] = bundle_file.archive(_signed(files(), key, scope=what[0]))
        for old in list(_packed)[:-_KEPT]:
            _packed.pop(old, None)
    return packed


def _signed(files: dict[str, bytes], key: BundleKey | None, *, scope: str) -> dict[str, bytes]:
    return bundle_file.signed(files, key.sign, scope=scope) if key else files
