"""Tables of other databases that releases may be made of."""

from django.contrib.postgres.fields import ArrayField
from django.core.validators import RegexValidator
from django.db import models

from common.postgres.other_databases import NAME

_IDENTIFIER = RegexValidator(r"\A[^\x00-\x1f\x7f]+\Z", "A name of the database has no control characters.")


class ExternalTable(models.Model):
    """A table or view of another PostgreSQL database, as a data set for releases.

    ``connection``: a name of ``EXTERNAL_DATABASES``, never an address. ``person``: the column whose values name people,
    ``row_key``: the one that names a row, by which two releases are compared. ``columns``: all others that are read.
    """

    slug = models.SlugField("reference", max_length=64, unique=True)
    title = models.CharField(max_length=120)
    connection = models.CharField("database", max_length=32, validators=[RegexValidator(rf"\A{NAME}\Z")])
    schema = models.CharField(max_length=63, default="public", validators=[_IDENTIFIER])
    relation = models.CharField("table or view", max_length=63, validators=[_IDENTIFIER])
    person = models.CharField("column of the person", max_length=63, validators=[_IDENTIFIER])
    row_key = models.CharField("column of the row", max_length=63, validators=[_IDENTIFIER])
    columns = ArrayField(models.CharField(max_length=63, validators=[_IDENTIFIER]))
    is_active = models.BooleanField("in use", default=True)

    class Meta:
        ordering = ["slug"]
        verbose_name = "external table"
        constraints = [
            # Under two names, releases of one table would not be laid on each other.
            models.UniqueConstraint(
                name="privacy_external_table_once",
                fields=["connection", "schema", "relation"],
                violation_error_message="This table is registered under another reference.",
            ),
        ]

    def __str__(self) -> str:
        return self.title
