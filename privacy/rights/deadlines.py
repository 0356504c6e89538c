"""Deadlines of requests under this installation's settings: holidays, business days, its own time to answer."""

from django.conf import settings

from privacy.rights.clocks.due import Settings


def counting() -> Settings:
    """Return how this installation counts."""
    return Settings(holidays=settings.HOLIDAYS, business=settings.BUSINESS_DAYS, own_days=settings.RIGHTS_OWN_DAYS)
