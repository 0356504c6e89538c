"""Rows of the vault: tokens that stand for values in released tables, and keys of people that encrypt others there.

Both go with the person's erasure, or when their time is over. From then on what was released cannot be traced back, or
read, by anyone.
"""

from django.db import models
from django.utils import timezone


class VaultToken(models.Model):
    """A token and the value it stands for, sealed. ``lookup``: a keyed digest of person and value, to find it again."""

    subject_ref = models.UUIDField(db_index=True)
    lookup = models.BinaryField(unique=True)
    token = models.TextField(unique=True)
    sealed = models.BinaryField()
    made_at = models.DateTimeField(default=timezone.now)
    keep_until = models.DateTimeField(db_index=True)

    class Meta:
        verbose_name = "token of the vault"
        verbose_name_plural = "tokens of the vault"
        permissions = [("reveal_vaulttoken", "Can open pseudonyms of released tables")]

    def __str__(self) -> str:
        return f"Token {self.pk}"


class PersonKey(models.Model):
    """Key, sealed, under which values of a person are encrypted in released tables. ``name`` stands in each of them."""

    subject_ref = models.UUIDField(unique=True)
    name = models.CharField(max_length=32, unique=True)
    sealed = models.BinaryField()
    made_at = models.DateTimeField(default=timezone.now)
    keep_until = models.DateTimeField(db_index=True)

    class Meta:
        verbose_name = "key of a person"
        verbose_name_plural = "keys of people"

    def __str__(self) -> str:
        return f"Key {self.name}"
