"""A revision, and the configuration of the servers that pull it, as OPA's own bundle files (unsigned)."""

import gzip
import io
import tarfile
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from django.conf import settings

from common.canonical import canonical_json
from policies.bundles import LoadedBundle

# The bundle owns everything below "data": a server that pulls it takes policies and data from nowhere else.
_ROOTS = [""]
_KEPT = 4
_packed: dict[str, bytes] = {}


def tarball(bundle: LoadedBundle) -> bytes:
    """The revision for servers that pull: the same bytes whenever and wherever they are made. Kept once made."""
    packed = _packed.get(bundle.revision)
    if packed is None:
        packed = _packed[bundle.revision] = _pack(
            {
                **{name: text.encode() for name, text in bundle.policies.items()},
                "data.json": canonical_json(bundle.data),
                ".manifest": canonical_json({"revision": bundle.revision, "roots": _ROOTS, "rego_version": 1}),
            }
        )
        for old in list(_packed)[:-_KEPT]:
            _packed.pop(old, None)
    return packed


@lru_cache(maxsize=1)
def discovery() -> bytes:
    """What a server that knows nothing but the service ``assent`` and its token is told to do."""
    return _pack({"data.json": canonical_json(_configuration())})


def _configuration() -> dict[str, Any]:
    """Services are missing on purpose: OPA takes no change of the one it was started with, and tokens stay out."""
    polling: dict[str, int] = {"min_delay_seconds": 2, "max_delay_seconds": 5}
    if settings.OPA_LONG_POLL_S and settings.OPA_LONG_POLL_WAITERS:
        polling["long_polling_timeout_seconds"] = settings.OPA_LONG_POLL_S
    return {
        "bundles": {"assent": {"service": "assent", "resource": "bundles/active.tar.gz", "polling": polling}},
        "decision_logs": {
            "service": "assent",
            "reporting": {"min_delay_seconds": 5, "max_delay_seconds": 15, "buffer_size_limit_bytes": 64 * 1024 * 1024},
        },
        "status": {"service": "assent"},
    }


def _pack(files: Mapping[str, bytes]) -> bytes:
    plain = io.BytesIO()
    with tarfile.open(fileobj=plain, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for name, content in sorted(files.items()):
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode, entry.mtime = len(content), 0o644, 0
            archive.addfile(entry, io.BytesIO(content))
    return gzip.compress(plain.getvalue(), mtime=0)
