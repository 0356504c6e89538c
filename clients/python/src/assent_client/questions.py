"""A question, in the words of the decision contract."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Question:
    """May ``action`` be done with this person's data for this ``purpose``?

    ``processing_region`` is where you process; ``min_revision`` denies what is older than a save you know of.
    """

    subject: str
    purpose: str
    action: str = "personalize"
    level: str | None = None
    data_categories: Sequence[str] = ()
    model: str | None = None
    recipient: str | None = None
    channel: str | None = None
    region: str | None = None
    age_band: str | None = None
    processing_region: str | None = None
    signals: Mapping[str, Any] = field(default_factory=dict)
    min_revision: int | None = None
    subject_type: str = "data_subject"
    resource: str = "default"
    resource_type: str = "personalization"

    def document(self) -> dict[str, Any]:
        """The question as AuthZEN writes it."""
        asked = {"purpose": self.purpose, "requested_level": self.level, "recipient": self.recipient}
        resource = {"data_categories": list(self.data_categories) or None, "model": self.model}
        context = {
            "processing_region": self.processing_region,
            "channel": self.channel,
            "signals": dict(self.signals) or None,
            "min_revision": self.min_revision,
        }
        person = _said({"region": self.region, "age_band": self.age_band})
        return {
            "subject": {"type": self.subject_type, "id": self.subject, "properties": person},
            "action": {"name": self.action, "properties": _said(asked)},
            "resource": {"type": self.resource_type, "id": self.resource, "properties": _said(resource)},
            "context": _said(context),
        }


def _said(members: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in members.items() if value is not None}
