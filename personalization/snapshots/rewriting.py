"""Notes about files that people left, so that a deletion that was rolled back does not pass for a change.

A file is written anew before the transaction commits. Its note, signed and next to it, is made before that: from which
digest it leads to which, and how many people left on the way. Where the register still has the first digest, the
deletion is still to be repeated.
"""

import json

from audit import jws, signing
from personalization.snapshots import files

_TYPE = "assent-snapshot-left"


def note(path: str, *, before: str, after: str, people: int) -> None:
    """Note what a file becomes. Without a key there is no note: people leave all the same."""
    said = json.dumps({"path": path, "before": before, "after": after, "people": people}, sort_keys=True)
    try:
        token = signing.sign(said.encode(), typ=_TYPE)
    except signing.SigningKeyUnavailable:
        return
    files.write(path + files.NOTE, token.encode())


def people_gone(path: str, *, before: str, after: str) -> int:
    """Return how many people left between two digests by a genuine note; 0 where none says so."""
    trusted = {key["kid"]: key for key in signing.published_keys()["keys"]}
    try:
        token = files.place(path + files.NOTE).read_bytes().decode("ascii")
        said = json.loads(jws.verify(token, typ=_TYPE, trusted=trusted)[0])
    except (OSError, UnicodeDecodeError, jws.NotGenuine):
        return 0
    return int(said["people"]) if (said["path"], said["before"], said["after"]) == (path, before, after) else 0
