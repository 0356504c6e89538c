"""Bundle file for OPA: a gzipped tar of ``.manifest``, ``data.json``, modules and ``.signatures.json``.

One revision, one key: the same bytes every time. JSON is written the way OPA writes it before it hashes (sorted,
no spaces, no escapes but the ones JSON and Go insist on), so the digest of the file is the digest OPA compares.
https://www.openpolicyagent.org/docs/management-bundles says what is in each file.
"""

import gzip
import io
import json
import re
import tarfile
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from common.canonical import sha256
from policies.bundles import bundle_keys

Sign = Callable[[bytes], str]
_PACKAGE = re.compile(r"^package\s+([A-Za-z0-9_.]+)\s*(?:#.*)?$", re.MULTILINE)


class NotABundle(ValueError):
    """Refusal of policies that cannot be a bundle; the text says why."""


def write_bundle(
    revision: str,
    policies: Mapping[str, str],
    data: Mapping[str, Any],
    *,
    sign: Sign | None = None,
) -> bytes:
    """Return the signed file. ``data`` is the register without its revision, which is added as ``data.revision``.

    Raises NotABundle.
    """
    files = contents(revision, policies, data, roots=_roots(policies, data))
    return archive(signed(files, sign or bundle_keys.current().sign))


def contents(
    revision: str, policies: Mapping[str, str], data: Mapping[str, Any], *, roots: Sequence[str]
) -> dict[str, bytes]:
    """Return the files of a revision by name. ``roots`` is what it owns: OPA refuses a file outside of them."""
    return {
        ".manifest": json_of({"revision": revision, "roots": sorted(roots), "rego_version": 1}),
        "data.json": json_of({**data, "revision": revision}),
        **{path: text.encode() for path, text in policies.items()},
    }


def signed(files: Mapping[str, bytes], sign: Sign, *, scope: str = "") -> dict[str, bytes]:
    """Return the files with their signature. A server that names a scope takes no signature of another."""
    payload = {"files": [_entry(name, files[name]) for name in sorted(files)], **({"scope": scope} if scope else {})}
    return {**files, ".signatures.json": json_of({"signatures": [sign(json_of(payload))]})}


def _roots(policies: Mapping[str, str], data: Mapping[str, Any]) -> list[str]:
    packages = {package_of(path, text) for path, text in policies.items()}
    return ["revision", *data, *(package.replace(".", "/") for package in packages)]


def package_of(path: str, text: str) -> str:
    """Return the package of a module. Raises NotABundle."""
    found = _PACKAGE.search(text)
    if found is None:
        raise NotABundle(f"{path} names no package.")
    return found[1]


def _entry(name: str, content: bytes) -> dict[str, str]:
    return {"name": name, "hash": sha256(content).hex(), "algorithm": "SHA-256"}


def json_of(value: Mapping[str, Any]) -> bytes:
    """Return JSON in the very form OPA hashes."""
    text = json.dumps(value, separators=(",", ":"), sort_keys=True, ensure_ascii=False, allow_nan=False)
    # Go escapes these two wherever they stand; they can stand in strings only.
    return text.replace("\u2028", "\\u2028").replace("\u2029", "\\u2029").encode()


def archive(files: Mapping[str, bytes]) -> bytes:
    """Pack the files reproducibly: the same bytes at any time and on any machine."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", format=tarfile.USTAR_FORMAT) as packing:
        for name in sorted(files):
            member = tarfile.TarInfo(f"/{name}")
            member.size, member.mode, member.mtime = len(files[name]), 0o644, 0
            packing.addfile(member, io.BytesIO(files[name]))
    return gzip.compress(packed.getvalue(), mtime=0)
