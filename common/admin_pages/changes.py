"""What a save changed, for the audit trail: the fields before and after, as JSON."""

from datetime import date, datetime, timedelta
from typing import Any

from django.db.models import Model


def stored(row: Model) -> dict[str, Any]:
    """Return the fields of a row as the database holds them; of a new row none."""
    found = type(row)._default_manager.filter(pk=row.pk).first() if row.pk else None  # noqa: SLF001 (documented)
    return fields_of(found) if found else {}


def fields_of(row: Model) -> dict[str, Any]:
    """Return the fields of a row as it is in memory, relations by the name of what they point to."""
    options = row._meta  # noqa: SLF001 (Django documents it for this use)
    return {field.name: _plain(getattr(row, field.name)) for field in options.concrete_fields if not field.primary_key}


def difference(before: dict[str, Any], after: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return both states, of the fields that differ; empty where none does."""
    names = [name for name in {**before, **after} if before.get(name) != after.get(name)]
    if not names:
        return {}
    return {
        side: {name: of[name] for name in names if name in of} for side, of in (("before", before), ("after", after))
    }


def _plain(value: Any) -> Any:
    if isinstance(value, Model):
        return str(getattr(value, "slug", None) or value)
    if isinstance(value, datetime | date):
        return value.isoformat()
    return str(value) if isinstance(value, timedelta) else value
