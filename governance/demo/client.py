"""HTTP client of the story: what a service of the business would send, and nothing else."""

import json
import urllib.error
import urllib.request
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Reply:
    status: int
    document: dict[str, Any]
    cell: str | None = None  # the other cell that answered, where there are several


class ServiceClient:
    """HTTP client with a service credential."""

    def __init__(self, origin: str, token: str) -> None:
        self._origin, self._token = origin, token

    def post(self, path: str, body: dict[str, Any], **headers: str) -> Reply:
        request = urllib.request.Request(  # noqa: S310 (our own origin)
            f"{self._origin}{path}",
            data=json.dumps(body).encode(),
            headers={
                "Content-Type": "application/json",
                "Authorization": f"Bearer {self._token}",
                **{name.replace("_", "-"): value for name, value in headers.items()},
            },
        )
        try:
            with urllib.request.urlopen(request, timeout=20) as response:  # noqa: S310
                return Reply(
                    response.status, json.loads(response.read() or b"{}"), response.headers.get("X-Assent-Cell")
                )
        except urllib.error.HTTPError as error:
            return Reply(error.code, json.loads(error.read() or b"{}"), error.headers.get("X-Assent-Cell"))
