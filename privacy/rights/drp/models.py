"""Rows of the Data Rights Protocol: agents, their tokens, and what they call their requests."""

from django.core.validators import RegexValidator, URLValidator
from django.db import models
from django.utils import timezone


class Agent(models.Model):
    """Authorised agent: its id in the directory, and the Ed25519 key that verifies what it signs."""

    slug = models.CharField("agent id", max_length=64, unique=True, validators=[RegexValidator(r"^[A-Za-z0-9_.-]+\Z")])
    name = models.CharField(max_length=120)
    web_url = models.URLField(blank=True, validators=[URLValidator(["https"])])
    verify_key = models.CharField(
        max_length=64,
        validators=[RegexValidator(r"^[A-Za-z0-9+/]{43}=\Z", "must be an Ed25519 key of 32 bytes in base64")],
    )
    is_active = models.BooleanField(default=True)

    class Meta:
        ordering = ["slug"]
        verbose_name = "authorised agent"

    def __str__(self) -> str:
        return self.name


class AgentToken(models.Model):
    """Token that an agent and this business share; only its SHA-256 is kept. A new one ends the former.

    ``asked_at``: when the agent says that it signed the message for it; the next has to be newer.
    """

    agent = models.OneToOneField(Agent, on_delete=models.CASCADE, related_name="token")
    token_hash = models.BinaryField(max_length=32, unique=True)
    issued_at = models.DateTimeField(default=timezone.now)
    asked_at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return f"token of {self.agent_id}"


class AgentRequest(models.Model):
    """What an agent calls a request, and where it wants to hear of it.

    ``reported``: digest of the status that the agent has confirmed; ``tries`` and ``next_try_at``: of a report that
    has not arrived yet.
    """

    request = models.OneToOneField("rights.RightsRequest", on_delete=models.PROTECT, related_name="agent_request")
    agent = models.ForeignKey(Agent, on_delete=models.PROTECT)
    agent_request_id = models.CharField(max_length=128, blank=True)
    exercise = models.CharField(max_length=20)
    status_callback = models.CharField(max_length=1000, blank=True)
    reported = models.BinaryField(max_length=32, null=True)
    tries = models.PositiveSmallIntegerField(default=0)
    next_try_at = models.DateTimeField(default=timezone.now)

    class Meta:
        indexes = [
            models.Index(fields=["next_try_at"], condition=~models.Q(status_callback=""), name="rights_agent_callbacks")
        ]

    def __str__(self) -> str:
        return f"{self.exercise} of {self.agent_id}"
