"""Tables that belong to no other package: rate limit buckets, and check values of keys."""

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


class KeyCheck(models.Model):
    """Check value of a secret key that the data rests on: it says whether a process has the right one, and no more."""

    name = models.CharField(max_length=32, primary_key=True)
    value = models.BinaryField(max_length=32)
    created_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.name
