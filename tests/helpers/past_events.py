"""Audit events as they would have been recorded at another time."""

import json
from datetime import datetime
from typing import Any

from django.db import connection

from audit import trail
from common.identifiers import uuid7_floor


def event_at(action: str, object_id: str, actor: str, at: datetime, **details: Any) -> None:
    """Record an event as it would have been recorded at another time, its identifier included."""
    event = trail.prepare(action, object_id, actor=actor, at=at, details=details)
    noise = event["code"][13:]
    fields = {k: v for k, v in event.items() if k != "digest"} | {"code": str(uuid7_floor(at))[:13] + noise}
    fields["digest"] = trail.digest_of(fields).hex()
    with connection.cursor() as cursor:
        cursor.execute(trail.insert_events("%s::jsonb"), [json.dumps([fields])])
