"""Registers that need less than a second officer's approval, as this installation has decided by change set."""

from django.db import models


class RelaxedRegister(models.Model):
    """Register whose changes one officer may bring into force; another looks at each of them afterwards."""

    register = models.CharField(max_length=40, unique=True)
    reason = models.CharField(max_length=500)

    class Meta:
        ordering = ["register"]
        verbose_name = "oversight setting"

    def __str__(self) -> str:
        return self.register
