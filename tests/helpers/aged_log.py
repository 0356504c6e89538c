"""Decisions of past days in the decision log, stored when they were made."""

import itertools
import json
from datetime import datetime
from pathlib import Path
from unittest.mock import patch
from uuid import UUID

from common.identifiers import uuid7_of
from policies.decision_log import drainer, pseudonyms

_numbers = itertools.count(1)


def line(moment: datetime, person: UUID, *, purpose: str = "recommendations") -> str:
    """Return a line of the log as a decision of that moment would have written it."""
    epoch = moment.timestamp()
    entry = {
        "id": uuid7_of(int(epoch * 1000), next(_numbers)),
        "at_us": int(epoch * 1_000_000),
        "caller": "service:shop",
        "subject": pseudonyms.tag(person, epoch).decode(),
        "outcome": "permit",
        "level": "individual",
        "reasons": [{"code": "level_capped_by_choice"}],
        "facts": {"action": "personalize", "purpose": purpose},
        "bundle_revision": "sha256:" + "0" * 64,
    }
    return json.dumps(entry)


def store(folder: Path, *lines: str, at: datetime) -> None:
    """Drain lines as one batch that is sealed at a moment."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"aged-{next(_numbers):09}.spool"
    path.write_text("".join(f"{each}\n" for each in lines))
    with patch("django.utils.timezone.now", lambda: at):
        drainer.drain(folder)
