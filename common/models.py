"""Rate limit buckets: the one table that belongs to no other package."""

from django.db import models


class RateBucket(models.Model):
    """Usage of one limit by one caller. The key is a keyed hash, so the table names neither networks nor people.

    UNLOGGED (see the migration): writing it costs no WAL, and a crash of the server only forgets what was used up.
    """

    key = models.BinaryField(max_length=16, primary_key=True)
    # The time at which everything that was used up has come back (the "theoretical arrival time" of GCRA).
    restored_at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return bytes(self.key).hex()[:12]
