"""Rows of rules as change sets bring them into force."""

from django.db import models, transaction

from common import policy_data
from oversight import guard


def put_in_force(row: models.Model) -> None:
    """Check and save a row, as a change set that was approved would."""
    row.full_clean()
    with transaction.atomic(), guard.writing("test"):
        row.save()
        policy_data.changed(reason=f"{row._meta.verbose_name} {row}", actor="test")
