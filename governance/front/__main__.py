"""``python -m governance.front --host 0.0.0.0 --port 8000 --workers 2``: serve the application."""

import argparse
import os
import socket

from governance.front.listening import Shares
from governance.front.supervision import Serving, supervise
from governance.front.worker import serve
from governance.monitoring import log_lines

APPLICATION = "governance.wsgi:application"


def main() -> int:
    """Run the supervisor, or with ``--descriptor`` one serving process."""
    parser = argparse.ArgumentParser(prog="governance.front", description="Serve the application over HTTP/1.1.")
    parser.add_argument("application", nargs="?", default=APPLICATION)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8000)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--descriptor", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--shares", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--slot", type=int, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.descriptor is not None:
        shares = Shares(chosen.shares, chosen.slot, chosen.workers)
        serve(chosen.application, socket.socket(fileno=chosen.descriptor), shares)
        return 0
    log_lines.set_up(os.environ.get("LOG_FORMAT", "json"))
    return supervise(Serving(chosen.application, chosen.host, chosen.port, chosen.workers))


raise SystemExit(main())
