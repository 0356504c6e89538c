"""Data the recommender may learn from: the catalogue, and events of people who agreed."""

from django.db import models
from django.db.models.functions import Now
from django.utils import timezone

from model_registry.models import ModelVersion
from personalization.audits.models import AuditRun, RegressionCase
from personalization.catalogue.models import Item
from personalization.creators.models import CreatorOptOut
from personalization.features.models import Feature
from personalization.general.models import AlsoBought
from personalization.monitors.models import (
    ItemExposure,
    MonitorObjective,
    MonitorResult,
    ServedCount,
    TrainingReference,
)
from personalization.rollouts.models import ModelRollout, RolloutCount
from personalization.serving.models import CatalogueRevision, OnlineFeatures
from personalization.showings.models import Showing
from personalization.training_runs.models import TrainingRun

__all__ = [
    "AlsoBought",
    "AuditRun",
    "CatalogueRevision",
    "CreatorOptOut",
    "Event",
    "EventCount",
    "Feature",
    "Item",
    "ItemExposure",
    "ModelRollout",
    "MonitorObjective",
    "MonitorResult",
    "OnlineFeatures",
    "PopularItem",
    "RegressionCase",
    "RetrainingDue",
    "RolloutCount",
    "ServedCount",
    "Showing",
    "TrainingMember",
    "TrainingReference",
    "TrainingRun",
]


class Event(models.Model):
    """Event of a person, stored under the purpose that allowed it and for no other use."""

    class Kind(models.TextChoices):
        VIEW = "view", "View"
        CLICK = "click", "Click"
        DWELL = "dwell", "Time spent"
        LIKE = "like", "Like"
        RATING = "rating", "Rating"
        PURCHASE = "purchase", "Purchase"
        # Feedback on a recommendation: the item is not recommended to this person again, and nothing is learnt from it.
        NOT_RELEVANT = "skip", "Not relevant"
        # The same for some weeks: the person wanted it out of the way.
        DISMISS = "dismiss", "Dismissed"
        # Takes back what NOT_RELEVANT and DISMISS said about the item before.
        UNDO = "undo", "Relevant after all"

    CATEGORY = {
        Kind.VIEW: "views",
        Kind.CLICK: "views",
        Kind.DWELL: "views",
        Kind.LIKE: "ratings",
        Kind.RATING: "ratings",
        Kind.PURCHASE: "purchases",
        Kind.NOT_RELEVANT: "ratings",
        Kind.DISMISS: "ratings",
        Kind.UNDO: "ratings",
    }

    # Derived from the sender and its event id. The table's own key is (occurred_at, id): it is partitioned by month, so
    # look for one event with its time (docs/decisions/0038-events-by-month.md).
    id = models.UUIDField(primary_key=True, editable=False)
    subject_ref = models.UUIDField()
    purpose = models.CharField(max_length=64)
    kind = models.CharField(max_length=8, choices=Kind)
    # An item that people have used is switched off, not deleted: their events are theirs.
    item = models.ForeignKey(Item, on_delete=models.PROTECT)
    value = models.PositiveSmallIntegerField(null=True)  # of a rating 1 to 5, of time spent its seconds
    amount = models.DecimalField(max_digits=12, decimal_places=2, null=True)  # of a purchase
    currency = models.CharField(max_length=3, null=True)  # noqa: DJ001 (ISO 4217; of no amount there is none)
    weight = models.FloatField()  # 0 for what does not speak for the item, such as a rating below the middle
    occurred_at = models.DateTimeField()
    received_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["-occurred_at"]
        indexes = [
            models.Index(fields=["subject_ref", "purpose", "-occurred_at"], name="personalization_event_window"),
            # Serves retention, which deletes the oldest of a purpose first.
            models.Index(fields=["purpose", "received_at", "id"], name="personalization_event_age"),
            # Serves intake: an event under a known id, with another time.
            models.Index(fields=["id"], name="personalization_event_by_id"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.item_id}"


class NumberRanges(models.Field):  # type: ignore[type-arg]  # read and written by SQL alone
    """Set of whole numbers, kept as its ranges."""

    def db_type(self, connection: object) -> str:
        return "int4multirange"


class EventStream(models.Model):
    """Stream of a sender that numbers its events: which numbers arrived, so that lost ones are known.

    The key is a digest of the sender and its name for the stream, a random text of one page or app. It says nothing
    about a person, and goes after two days.
    """

    key = models.UUIDField(primary_key=True)
    sender = models.CharField(max_length=120)
    arrived = NumberRanges()
    updated_at = models.DateTimeField(default=timezone.now)

    class Meta:
        indexes = [models.Index(fields=["updated_at"], name="personalization_stream_age")]

    def __str__(self) -> str:
        return f"a stream of {self.sender}"


class SignalLoss(models.Model):
    """Events of a day's streams by sender: how many were numbered, and how many of them never arrived."""

    day = models.DateField()
    sender = models.CharField(max_length=120)
    numbered = models.PositiveIntegerField()
    lost = models.PositiveIntegerField()

    class Meta:
        ordering = ["-day", "sender"]
        verbose_name = "lost signals of a day"
        verbose_name_plural = "lost signals"
        constraints = [models.UniqueConstraint(fields=["day", "sender"], name="personalization_loss_of_a_day")]

    def __str__(self) -> str:
        return f"{self.day}: {self.lost} of {self.numbered} events of {self.sender}"


class EventCount(models.Model):
    """Events of a day, counted before they went: groups of enough people, and nothing about anyone.

    Without an item: those of items that too few people used to be counted on their own.
    """

    day = models.DateField()
    purpose = models.CharField(max_length=64)
    kind = models.CharField(max_length=8, choices=Event.Kind)
    item = models.ForeignKey(Item, on_delete=models.PROTECT, null=True)
    entries = models.PositiveIntegerField()
    people = models.PositiveIntegerField()

    class Meta:
        ordering = ["-day", "purpose", "kind", "-entries"]
        verbose_name = "count of events"
        verbose_name_plural = "counts of events"

    def __str__(self) -> str:
        return f"{self.day}: {self.entries} {self.kind}"


class PopularItem(models.Model):
    """Item of the list shown without personal data: distinct people per item, nothing about anyone.

    ``is_pick``: it stands at its place because editors picked it.
    """

    rank = models.PositiveIntegerField(primary_key=True)
    item = models.OneToOneField(Item, on_delete=models.CASCADE)
    people = models.PositiveIntegerField()
    is_pick = models.BooleanField(default=False, db_default=False)
    made_at = models.DateTimeField(default=timezone.now, db_default=Now())  # of the whole list

    class Meta:
        ordering = ["rank"]
        permissions = [("use_playground", "Can play made-up people in the playground")]

    def __str__(self) -> str:
        return f"{self.rank}. {self.item_id}"


class TrainingMember(models.Model):
    """Person a version of a model was trained on."""

    version = models.ForeignKey(ModelVersion, on_delete=models.CASCADE, related_name="+", db_index=False)
    subject_ref = models.UUIDField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["subject_ref", "version"], name="personalization_trained_once")]
        indexes = [models.Index(fields=["version"], name="personalization_trained")]

    def __str__(self) -> str:
        return f"person {str(self.subject_ref)[:8]} in {self.version_id}"


class SnapshotPerson(models.Model):
    """Person in the files that a version's figures can be recomputed from, and the groups of it that they are in.

    A group is named by its key in the version's segments; empty where the person is in none.
    """

    version = models.ForeignKey(ModelVersion, on_delete=models.CASCADE, related_name="+", db_index=False)
    subject_ref = models.UUIDField()
    purpose = models.CharField(max_length=64)
    made_at = models.DateTimeField(default=timezone.now)
    readable = models.CharField(max_length=120, default="", db_default="")
    taste = models.CharField(max_length=120, default="", db_default="")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["subject_ref", "version"], name="personalization_in_snapshot")]
        indexes = [
            models.Index(fields=["version"], name="personalization_snapshot"),
            # Serves retention, which deletes the oldest of a purpose first.
            models.Index(fields=["purpose", "made_at", "id"], name="personalization_snapshot_age"),
        ]

    def __str__(self) -> str:
        return f"person {str(self.subject_ref)[:8]} in the snapshot of {self.version_id}"


class RetrainingDue(models.Model):
    """Version that learnt from people who were erased since: how many, and when a training without them ended."""

    version = models.OneToOneField(ModelVersion, on_delete=models.CASCADE, related_name="+")
    erased = models.PositiveIntegerField(default=0)
    since = models.DateTimeField(default=timezone.now)
    done_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = "retraining after erasures"
        verbose_name_plural = "retrainings after erasures"

    def __str__(self) -> str:
        return f"{self.erased} erased since {self.version_id}"
