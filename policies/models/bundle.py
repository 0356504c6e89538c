from django.db import models
from django.utils import timezone


class Bundle(models.Model):
    """Policies and data as one immutable revision, named by the SHA-256 of its canonical JSON. Append only."""

    revision = models.CharField(max_length=71, primary_key=True)  # "sha256:" and 64 hexadecimal digits
    policies = models.JSONField()  # path -> Rego text
    data = models.TextField()  # canonical JSON
    reason = models.CharField(max_length=200)
    actor = models.CharField(max_length=120)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return self.revision[:19]


class Activation(models.Model):
    """A revision came into force. Going back is another activation. Append only."""

    bundle = models.ForeignKey(Bundle, on_delete=models.PROTECT, related_name="activations")
    reason = models.CharField(max_length=200)
    actor = models.CharField(max_length=120)
    activated_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.bundle_id[:19]} in force"


class ActiveBundle(models.Model):
    """The one revision in force: a projection of the last activation, read by every decision."""

    id = models.SmallIntegerField(primary_key=True, default=1)
    bundle = models.ForeignKey(Bundle, on_delete=models.PROTECT, related_name="+")
    activated_at = models.DateTimeField()

    class Meta:
        constraints = [models.CheckConstraint(name="policies_one_active_bundle", condition=models.Q(id=1))]

    def __str__(self) -> str:
        return self.bundle_id[:19]
