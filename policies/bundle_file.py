"""A revision as a file OPA loads: a gzipped tar of ``.manifest``, ``data.json``, modules and ``.signatures.json``.

One revision, one key: the same bytes every time. JSON is written the way OPA writes it before it hashes (sorted,
no spaces, no escapes but the ones JSON and Go insist on), so the digest of the file is the digest OPA compares.
https://www.openpolicyagent.org/docs/management-bundles says what is in each file.
"""

import gzip
import io
import json
import re
import tarfile
from collections.abc import Callable, Mapping
from typing import Any

from audit import signing
from common.canonical import sha256

TYP = "opa-bundle+jwt"
SUFFIX = ".tar.gz"
_PACKAGE = re.compile(r"^package\s+([A-Za-z0-9_.]+)\s*(?:#.*)?$", re.MULTILINE)


class NotABundle(ValueError):
    """The policies cannot be a bundle; the text says why."""


def write_bundle(
    revision: str,
    policies: Mapping[str, str],
    data: Mapping[str, Any],
    *,
    sign: Callable[[bytes], str] | None = None,
) -> bytes:
    """Return the signed file. ``data`` is the register without its revision, which is added as ``data.revision``.

    Raises NotABundle.
    """
    files = {
        ".manifest": _json(_manifest(revision, policies, data)),
        "data.json": _json({**data, "revision": revision}),
        **{path: text.encode() for path, text in policies.items()},
    }
    token = (sign or _sign)(_json({"files": [_entry(name, files[name]) for name in sorted(files)]}))
    files[".signatures.json"] = _json({"signatures": [token]})
    return _archive(files)


def _manifest(revision: str, policies: Mapping[str, str], data: Mapping[str, Any]) -> dict[str, Any]:
    """Say what the bundle owns. OPA refuses a file outside of these roots, so nothing slips in beside them."""
    packages = {package_of(path, text) for path, text in policies.items()}
    roots = {"revision", *data, *(package.replace(".", "/") for package in packages)}
    return {"revision": revision, "roots": sorted(roots), "rego_version": 1}


def package_of(path: str, text: str) -> str:
    """The package a module belongs to. Raises NotABundle."""
    found = _PACKAGE.search(text)
    if found is None:
        raise NotABundle(f"{path} names no package.")
    return found[1]


def _entry(name: str, content: bytes) -> dict[str, str]:
    return {"name": name, "hash": sha256(content).hex(), "algorithm": "SHA-256"}


def _sign(payload: bytes) -> str:
    return signing.sign(payload, typ=TYP)


def _json(value: Mapping[str, Any]) -> bytes:
    text = json.dumps(value, separators=(",", ":"), sort_keys=True, ensure_ascii=False, allow_nan=False)
    # Go escapes these two wherever they stand; they can stand in strings only.
    return text.replace("\u2028", "\\u2028").replace("\u2029", "\\u2029").encode()


def _archive(files: Mapping[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for name in sorted(files):
            member = tarfile.TarInfo(f"/{name}")
            member.size, member.mode, member.mtime = len(files[name]), 0o644, 0
            archive.addfile(member, io.BytesIO(files[name]))
    return gzip.compress(packed.getvalue(), mtime=0)
