"""Systems that process personal data, on any platform, and the findings of their last audit."""

from django.db import models

from consent.models import DataCategory, Purpose
from policies.models.rules import people_groups, refuse_unknown


class ProcessingSystem(models.Model):
    """A processing system. ``placements`` have kind, region, resource; ``findings`` resource, region, code, detail.

    Kinds of data, purposes and people count for every place of the system.
    """

    name = models.CharField(max_length=120, unique=True)
    owner = models.CharField(max_length=160)
    placements = models.JSONField(default=list)
    subject_groups = models.JSONField(default=list)
    data_categories = models.JSONField(default=list, blank=True)
    purposes = models.JSONField(default=list, blank=True)
    checked_at = models.DateTimeField(null=True, editable=False)
    bundle_revision = models.CharField(max_length=71, blank=True, default="", editable=False)
    findings = models.JSONField(default=list, editable=False)

    class Meta:
        ordering = ["name"]
        verbose_name = "processing system"

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        """Refuse groups, data categories and purposes that no register knows, with the names known."""
        known = {
            "subject_groups": people_groups(),
            "data_categories": {"*", *DataCategory.objects.values_list("slug", flat=True)},
            "purposes": set(Purpose.objects.values_list("slug", flat=True)),
        }
        refuse_unknown({field: getattr(self, field) for field in known}, known)
