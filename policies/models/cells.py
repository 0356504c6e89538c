from django.db import models


class AppliedRelease(models.Model):
    """The newest release this cell has applied from the primary cell, in one row."""

    id = models.SmallIntegerField(primary_key=True, default=1)
    digest = models.CharField(max_length=71)  # of the content, "sha256:" and 64 hexadecimal digits
    issued_at = models.DateTimeField()  # by the primary's clock; only a later release is taken
    applied_at = models.DateTimeField()
    confirmed_at = models.DateTimeField()  # when the primary last said that this is what is in force

    class Meta:
        constraints = [models.CheckConstraint(name="policies_one_applied_release", condition=models.Q(id=1))]

    def __str__(self) -> str:
        return f"release of {self.issued_at:%Y-%m-%d %H:%M:%S}"
