"""A moment that intake takes in, the same for a whole run of tests: events older than 35 days are refused."""

from datetime import UTC, datetime, timedelta

AT = datetime.now(UTC).replace(hour=10, minute=0, second=0, microsecond=0) - timedelta(days=2)
TEXT = AT.isoformat().replace("+00:00", "Z")
