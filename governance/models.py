"""Sign-in of officers: their second factors, recovery codes, sessions, and who they are at a provider."""

import uuid

from django.conf import settings
from django.db import models


class SecondFactor(models.Model):
    """An authenticator app or a passkey of an officer (``governance/sign_in``)."""

    class Kind(models.TextChoices):
        APP = "app", "Authenticator app"
        PASSKEY = "passkey", "Passkey"

    account = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="second_factors")
    kind = models.CharField(max_length=8, choices=Kind)
    name = models.CharField(max_length=60)
    secret = models.BinaryField()  # an app's, encrypted; a passkey's public key and its data
    credential_id = models.BinaryField(null=True, unique=True)
    counter = models.BigIntegerField(default=-1)  # the last time step used, or the last count of signatures
    created_at = models.DateTimeField(auto_now_add=True)
    used_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["created_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["account"], condition=models.Q(kind="app"), name="governance_one_app_an_account"
            ),
            models.CheckConstraint(
                condition=models.Q(kind="app", credential_id=None)
                | models.Q(kind="passkey", credential_id__isnull=False),
                name="governance_passkeys_have_an_id",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class RecoveryCode(models.Model):
    """A code that replaces a second factor once. Only its digest is kept."""

    account = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="recovery_codes")
    digest = models.BinaryField(max_length=32)
    used_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["account", "digest"], name="governance_recovery_code")]

    def __str__(self) -> str:
        return "used" if self.used_at else "unused"


class OfficerSession(models.Model):
    """A sign-in of an officer. Without its row in force a session is nobody's."""

    class Means(models.TextChoices):
        PASSWORD = "password", "Password"
        APP = "app", "Password and authenticator app"
        PASSKEY = "passkey", "Password and passkey"
        RECOVERY = "recovery", "Password and recovery code"
        PROVIDER = "provider", "Provider"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    account = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="officer_sessions")
    means = models.CharField(max_length=8, choices=Means, default=Means.PASSWORD)
    began_at = models.DateTimeField()
    seen_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    network = models.CharField(max_length=64)
    browser = models.CharField(max_length=200)

    class Meta:
        indexes = [models.Index(fields=["account", "-expires_at"], name="governance_session_of_account")]
        ordering = ["-seen_at"]
        verbose_name = "session"

    def __str__(self) -> str:
        return f"{self.account} since {self.began_at:%Y-%m-%d %H:%M}"


class ProviderIdentity(models.Model):
    """The account of an officer who signs in through the provider, by what the provider calls them."""

    account = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="provider_identity")
    issuer = models.CharField(max_length=255)
    subject = models.CharField(max_length=255)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["issuer", "subject"], name="governance_provider_identity")]

    def __str__(self) -> str:
        return f"{self.account} at {self.issuer}"
