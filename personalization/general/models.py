"""Pairs of items that many people bought."""

from django.db import models


class AlsoBought(models.Model):
    """Another item that at least k people bought who bought this one: a count of people, nothing about anyone."""

    item = models.ForeignKey("personalization.Item", on_delete=models.CASCADE, related_name="+", db_index=False)
    other = models.ForeignKey("personalization.Item", on_delete=models.CASCADE, related_name="+")
    place = models.PositiveSmallIntegerField()
    people = models.PositiveIntegerField()

    class Meta:
        ordering = ["item", "place"]
        verbose_name = "pair of items bought by the same people"
        verbose_name_plural = "pairs of items bought by the same people"
        constraints = [models.UniqueConstraint(fields=["item", "place"], name="personalization_also_bought_place")]

    def __str__(self) -> str:
        return f"{self.item_id}: {self.other_id}"
