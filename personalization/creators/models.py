"""Row of a creator who opted out of being recommended."""

from django.db import models
from django.db.models import Q
from django.utils import timezone


class CreatorOptOut(models.Model):
    """Opt-out of a creator, under the name that items state; it goes when the creator takes it back."""

    creator = models.CharField(max_length=64, primary_key=True)
    since = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ["creator"]
        verbose_name = "creator who opted out"
        verbose_name_plural = "creators who opted out"
        constraints = [models.CheckConstraint(name="personalization_optout_creator", condition=~Q(creator=""))]

    def __str__(self) -> str:
        return self.creator
