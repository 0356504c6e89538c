"""Deletion of short-lived rows: idempotency keys, ended dashboard links, unused rate limit buckets.

Keys are kept for a week, links for a day after they ended.
"""

from datetime import timedelta

from django.utils import timezone

from common.http import rate_limit
from consent.models import SavedRequest, SubjectLink

KEYS_LAST = timedelta(days=7)
LINKS_LAST = timedelta(days=1)


def forget_old_requests() -> int:
    """Delete what is past its use; return how many rows went. Safe to run twice."""
    now = timezone.now()
    keys, _ = SavedRequest.objects.filter(created_at__lt=now - KEYS_LAST).delete()
    links, _ = (
        SubjectLink.objects.filter(expires_at__lt=now - LINKS_LAST)
        .exclude(session_expires_at__gt=now - LINKS_LAST)
        .delete()
    )
    return keys + links + rate_limit.forget_unused()
