"""The target of a request (RFC 9112, 3.2): a path, or an absolute URI whose host then counts instead of Host."""

import re
from dataclasses import dataclass
from urllib.parse import unquote_to_bytes

from governance.front import limits
from governance.front.messages.refusals import Refusal, malformed

# Printable ASCII: what is not must be percent-encoded, or two readers decode it differently.
_TARGET = re.compile(rb"/[!-\"$-~]*")
_ABSOLUTE = re.compile(rb"https?://([^/?#@\\]+)(/[!-\"$-~]*)?(\?[!-\"$-~]*)?", re.IGNORECASE)
_HOST = re.compile(rb"(?:[A-Za-z0-9._~!$&'()*+;=%-]*|\[[0-9A-Fa-f:.]+\])(?::[0-9]{0,5})?")


@dataclass(frozen=True, slots=True)
class Target:
    """Path (decoded, latin-1 as WSGI has it) and query; the host where the target names one."""

    path: str
    query: str
    host: bytes | None = None


def read_target(text: bytes) -> Target:
    """Read a request's target. Raises Refusal (400, 414)."""
    if len(text) > limits.URI_BYTES:
        raise Refusal(414, "uri_too_long", f"The address is longer than {limits.URI_BYTES // limits.KIB} KiB.")
    if _TARGET.fullmatch(text):
        return _split(text, None)
    absolute = _ABSOLUTE.fullmatch(text)
    if absolute is None:
        raise malformed("The target of the request is neither a path nor an http URI.")
    host, path, query = absolute.groups()
    return _split((path or b"/") + (query or b""), read_host(host))


def read_host(text: bytes) -> bytes:
    """Return the value of Host, or of an absolute URI. Raises Refusal (400)."""
    if not _HOST.fullmatch(text):
        raise malformed("The host of the request is none.")
    return text


def _split(text: bytes, host: bytes | None) -> Target:
    path, _, query = text.partition(b"?")
    if b"%" in path:
        path = unquote_to_bytes(path)
    return Target(path.decode("latin-1"), query.decode("latin-1"), host)
