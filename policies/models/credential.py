from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils import timezone


class ServiceCredential(models.Model):
    """Right of a service to call, and its token: random, and only its SHA-256 is stored.

    The right is a register. The token is made once, after the right is in force: until then there is none.
    """

    class Scope(models.TextChoices):
        DECISIONS = "decisions", "Ask the decision API"
        CONSENTS = "consents", "Save and read consents"
        SUBJECT_LINKS = "subject_links", "Issue dashboard links"
        EVENTS = "events", "Send events"
        ITEMS = "items", "Keep the catalogue"
        RECOMMENDATIONS = "recommendations", "Ask for recommendations"
        REQUESTS = "requests", "Open and follow requests of people"
        REGISTERS = "registers", "Read purposes, jurisdictions and levels"
        MODELS = "models", "Register models that run elsewhere"
        RELEASES = "releases", "Fetch releases that its party receives"
        METRICS = "metrics", "Read the metrics"
        OPA = "opa", "Pull bundles and report, as an OPA server"
        CELLS = "cells", "Be another cell: pull the rules, and ask for its callers"

    name = models.CharField(max_length=80)
    # The first credential of a name is 1; one that replaces it is the next, so the trail can tell them apart.
    number = models.PositiveIntegerField(default=1, db_default=1, editable=False)
    token_hash = models.BinaryField(max_length=32, unique=True, null=True)
    scopes = ArrayField(models.CharField(max_length=24, choices=Scope))
    # AuthZEN answers without what differs from one answer to the next, for callers that compare whole bodies.
    repeatable_answers = models.BooleanField(default=False, db_default=False)
    created_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField(verbose_name="ends")
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["name", "number"]
        verbose_name = "service credential"
        constraints = [models.UniqueConstraint(fields=["name", "number"], name="policies_credential_number")]

    def __str__(self) -> str:
        return self.name

    @property
    def may_get_token(self) -> bool:
        """Return whether its token is still to be made."""
        return self.token_hash is None and self.is_valid

    @property
    def is_valid(self) -> bool:
        return self.revoked_at is None and self.expires_at > timezone.now()

    @property
    def is_authenticated(self) -> bool:
        return True
