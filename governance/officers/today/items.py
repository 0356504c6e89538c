"""Item of *Today*: what asks for an officer, why, how urgently, and the page that settles it."""

from datetime import timedelta
from typing import Any

DAY = timedelta(days=1)
Item = dict[str, Any]


def item(title: str, detail: str, url: str, severity: str, since: Any = None) -> Item:
    return {"title": title, "detail": detail, "url": url, "severity": severity, "since": since}
