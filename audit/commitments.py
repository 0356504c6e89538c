"""Digest of a consent record by its fields, in both formats: needs no Django, so that a receipt is verified anywhere.

In format 2 person and proof are under the digest as salted commitments. A digest that outlives them says nothing: the
salt goes with them, and without its 128 bits no guess can be tried. Format 1, before it, has the values themselves.
"""

import os
from collections.abc import Mapping
from typing import Any

from common.canonical import canonical_json, digest_of, sha256

FORMAT = 2
_SALT_BYTES = 16
_HIDDEN = frozenset({"digest", "salt", "commitments", "subject", "proof"})


def new_salt() -> str:
    """Return the salt of a new record, as hexadecimal digits."""
    return os.urandom(_SALT_BYTES).hex()


def commitments(fields: Mapping[str, Any]) -> dict[str, str]:
    """Return what stands for person and proof under the digest of a record that has a salt."""
    salt = bytes.fromhex(fields["salt"])
    return {
        "who": sha256(salt + b"who" + fields["subject"].encode()).hex(),
        "how": sha256(salt + b"how" + canonical_json(fields.get("proof", {}))).hex(),
    }


def record_digest(fields: Mapping[str, Any]) -> bytes:
    """Return the digest of a record's fields (``previous_digest`` included): the link of the person's own chain.

    ``scope`` is among them only where it is not empty, and so is ``proof`` in format 1. With ``commitments`` instead of
    the salt, as a redacted record has them, the digest is the same.
    """
    if "salt" in fields:
        made = commitments(fields)
    elif "commitments" in fields:
        made = fields["commitments"]
    else:
        return digest_of({name: value for name, value in fields.items() if name != "digest"})
    covered = {name: value for name, value in fields.items() if name not in _HIDDEN}
    return digest_of({**covered, **made, "format": FORMAT})
