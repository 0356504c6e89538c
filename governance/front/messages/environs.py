"""The WSGI environ of a request (PEP 3333)."""

import sys
from typing import IO, Any

from governance.front.messages.answers import Environ
from governance.front.messages.reading import Head

_KNOWN_NAMES = 512  # clients choose names, so what is remembered about them has an end
_keys: dict[bytes, str] = {b"content-type": "CONTENT_TYPE", b"content-length": "CONTENT_LENGTH"}


class Environs:
    """Makes environs for one listening address."""

    def __init__(self, host: str, port: int) -> None:
        self._base: dict[str, Any] = {
            "GATEWAY_INTERFACE": "CGI/1.1",
            "SCRIPT_NAME": "",
            "SERVER_NAME": host,
            "SERVER_PORT": str(port),
            "SERVER_SOFTWARE": "Assent",
            "wsgi.errors": sys.stderr,
            "wsgi.input_terminated": True,
            "wsgi.multiprocess": True,
            "wsgi.multithread": True,
            "wsgi.run_once": False,
            "wsgi.url_scheme": "http",  # TLS is a proxy's
            "wsgi.version": (1, 0),
        }

    def environ(self, head: Head, body: IO[bytes], size: int, peer: str) -> Environ:
        """Return the environ; of a chunked body the length is known by now, too."""
        environ = self._base.copy()
        target = head.target
        environ["REQUEST_METHOD"] = head.method
        environ["PATH_INFO"] = target.path
        environ["QUERY_STRING"] = target.query
        environ["SERVER_PROTOCOL"] = "HTTP/1.0" if head.http_1_0 else "HTTP/1.1"
        environ["REMOTE_ADDR"] = peer
        environ["wsgi.input"] = body
        for name, value in head.headers.items():
            environ[_keys.get(name) or _key(name)] = value.decode("latin-1")
        if head.is_chunked:
            del environ["HTTP_TRANSFER_ENCODING"]
            environ["CONTENT_LENGTH"] = str(size)
        return environ


def _key(name: bytes) -> str:
    key = f"HTTP_{name.decode('latin-1').upper().replace('-', '_')}"
    if len(_keys) < _KNOWN_NAMES:
        _keys[name] = key
    return key
