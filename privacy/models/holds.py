"""Legal holds and restrictions of processing, and the people that each of them keeps."""

from typing import Any

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q
from django.utils import timezone


class Limit(models.Model):
    """What holds and restrictions share: people, purposes and a time. An empty list of purposes means every one."""

    slug = models.SlugField("reference", max_length=64, unique=True)
    reason = models.CharField(max_length=500)
    people = models.JSONField(default=list, blank=True, help_text="Pseudonyms.")
    purposes = models.JSONField(default=list, blank=True)
    starts_at = models.DateTimeField("from", default=timezone.now)
    ends_at = models.DateTimeField("until", null=True, blank=True)
    is_released = models.BooleanField("released", default=False)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return self.slug

    def clean(self) -> None:
        if self.ends_at is not None and self.ends_at <= self.starts_at:
            raise ValidationError({"ends_at": "It ends before it begins."})

    @property
    def is_in_force(self) -> bool:
        now = timezone.now()
        return not self.is_released and self.starts_at <= now and (self.ends_at is None or now < self.ends_at)


class Hold(Limit):
    """A legal hold: data is kept for a claim or an inquiry, and not used otherwise.

    ``regions``, ``age_bands`` and ``chose_about`` are a query for people, who join the hold as they are found: whoever
    is in one of the regions, of one of the age bands and chose about one of the purposes; an empty list asks nothing.
    """

    matter = models.CharField(max_length=200, help_text="The claim, inquiry or order that the data is kept for.")
    regions = models.JSONField(default=list, blank=True)
    age_bands = models.JSONField(default=list, blank=True)
    chose_about = models.JSONField(default=list, blank=True)
    data_sets = models.JSONField(default=list, blank=True)

    class Meta:
        ordering = ["is_released", "-starts_at", "slug"]
        verbose_name = "legal hold"

    def clean(self) -> None:
        super().clean()
        if not self.people and not self.query:
            raise ValidationError("Name people, or a region, an age band or a purpose by which they are found.")

    @property
    def query(self) -> dict[str, Any]:
        """Return what is asked about people; empty where the hold only names them."""
        asked = {"regions": self.regions, "age_bands": self.age_bands, "chose_about": self.chose_about}
        return {name: values for name, values in asked.items() if values}


class Restriction(Limit):
    """Restriction of processing (GDPR Article 18): the data is stored, and not used."""

    class Ground(models.TextChoices):
        ACCURACY = "accuracy", "Accuracy contested (a)"
        UNLAWFUL = "unlawful", "Unlawful, erasure opposed (b)"
        CLAIMS = "claims", "Needed by the person for a claim (c)"
        OBJECTION = "objection", "Objection being verified (d)"

    ground = models.CharField(max_length=12, choices=Ground)
    informed_on = models.DateField(
        "person informed on",
        null=True,
        blank=True,
        help_text="Before a restriction is released, the person is informed (Article 18(3)).",
    )

    class Meta:
        ordering = ["is_released", "-starts_at", "slug"]

    def clean(self) -> None:
        super().clean()
        if not self.people:
            raise ValidationError({"people": "Name the person."})
        if self.is_released and self.informed_on is None:
            raise ValidationError({"informed_on": "Inform the person before the restriction is released."})


class HoldMember(models.Model):
    """One person kept by a hold or a restriction in force, for a purpose and a data set; empty means every one.

    Deletions lock this table and leave these people out, so a writer takes turns with them (``privacy.holds.members``).
    """

    hold = models.ForeignKey(Hold, on_delete=models.PROTECT, null=True, related_name="members")
    restriction = models.ForeignKey(Restriction, on_delete=models.PROTECT, null=True, related_name="members")
    ref = models.UUIDField()
    purpose = models.CharField(max_length=64, blank=True, default="", db_default="")
    data_set = models.CharField(max_length=64, blank=True, default="", db_default="")
    added_at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name = "person under a hold"
        verbose_name_plural = "people under holds"
        constraints = [
            models.UniqueConstraint(
                fields=["ref", "hold", "restriction", "purpose", "data_set"],
                nulls_distinct=False,
                name="privacy_holdmember_once",
            ),
            models.CheckConstraint(
                condition=Q(hold=None, restriction__isnull=False) | Q(restriction=None, hold__isnull=False),
                name="privacy_holdmember_of_one",
            ),
        ]

    def __str__(self) -> str:
        return f"person {str(self.ref)[:8]}"
