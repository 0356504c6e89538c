"""What serving keeps in the database so that an answer needs one statement."""

from django.db import models


class CatalogueRevision(models.Model):
    """Number that changes with every change of items, of the general list, and of creators' opt-outs; one row.

    Triggers count it, in the transaction of the change, so that a process knows by the statement of a decision whether
    what it holds of the catalogue is still true. Numbers come of a sequence: none of a change that was rolled back
    returns with another change.
    """

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    revision = models.BigIntegerField()

    class Meta:
        constraints = [models.CheckConstraint(name="personalization_one_revision", condition=models.Q(id=1))]

    def __str__(self) -> str:
        return f"revision {self.revision} of the catalogue"


class OnlineFeatures(models.Model):
    """The latest events of a person under a purpose, as serving reads them: one row, found by its key.

    Triggers on the events keep it, in the transaction of the change: it is appended to when events come in, and goes
    when any of them goes or changes. Without it, or with ``recent`` open, the events themselves are read. The form of
    an entry: ``personalization.serving.features``.
    """

    pk = models.CompositePrimaryKey("subject_ref", "purpose")
    subject_ref = models.UUIDField()
    purpose = models.CharField(max_length=64)
    since = models.DateTimeField()  # of the oldest entry
    newest = models.DateTimeField()
    recent = models.BinaryField(null=True)  # the last 100 and a few
    older = models.BinaryField(null=True)  # those before, up to 5,000 with the others

    def __str__(self) -> str:
        return f"events of person {str(self.subject_ref)[:8]} for {self.purpose}"
