"""Readiness of an instance."""

import http.client

from governance.launcher.home.ports import LOOPBACK

READY_PATH = "/health/ready"
_ANSWER_S = 2.0
_OK = 200


def is_ready(port: int) -> bool:
    """Ask the instance on ``port`` whether it is ready; no answer within 2 s is a no."""
    connection = http.client.HTTPConnection(LOOPBACK, port, timeout=_ANSWER_S)
    try:
        connection.request("GET", READY_PATH)
        return connection.getresponse().status == _OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
