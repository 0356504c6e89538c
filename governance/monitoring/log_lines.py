"""Lines of the log: one JSON object each, with the id of the request it belongs to."""

import logging
import re
import secrets
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any

import msgspec

_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_current: ContextVar[str] = ContextVar("request_id", default="")


PLAIN = "%(asctime)s %(levelname)s %(name)s %(message)s"


class JsonLines(logging.Formatter):
    """Formats a record as one line."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            "process": record.process,
        }
        if request_id := _current.get():
            line["request_id"] = request_id
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return msgspec.json.encode(line, enc_hook=str).decode()


def set_up(log_format: str) -> None:
    """Have a process that loads no settings write its lines as those do that have (``LOG_FORMAT``)."""
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter(PLAIN) if log_format == "text" else JsonLines())
    logging.basicConfig(handlers=[handler])


def begin(sent: str | None, *, needed: bool) -> str:
    """Use a well-formed id that was sent for the lines of this request, else a new one where one is needed."""
    found = sent if sent and _ID.fullmatch(sent) else ""
    if not found and needed:
        found = secrets.token_hex(8)
    _current.set(found)
    return found


def end() -> None:
    """Write no id into the lines of what follows."""
    _current.set("")
