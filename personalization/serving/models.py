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
