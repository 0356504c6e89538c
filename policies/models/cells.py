from django.db import models


class AppliedRelease(models.Model):
    """What this cell has taken over from the primary cell, in one row: the newest of its releases."""

    id = models.SmallIntegerField(primary_key=True, default=1)
    sequence = models.BigIntegerField()
    digest = models.CharField(max_length=71)  # of the rules and registers, "sha256:" and 64 hexadecimal digits
    applied_at = models.DateTimeField()
    confirmed_at = models.DateTimeField()  # when the primary last said that this is what is in force

    class Meta:
        constraints = [models.CheckConstraint(name="policies_one_applied_release", condition=models.Q(id=1))]

    def __str__(self) -> str:
        return f"release {self.sequence}"
