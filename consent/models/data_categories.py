"""Data categories, by their own names and by those of public vocabularies."""

from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.db import models

from common.registers import nearest
from consent.register import data_terms

_SLUG = RegexValidator(r"\A[a-z0-9_-]{1,64}\Z", "Use small letters, digits, hyphens and underscores: postal_address.")
_FIDES_KEY = RegexValidator(r"\A[a-z0-9_.]{1,120}\Z", "A key of fideslang, such as user.contact.email.")


class DataCategory(models.Model):
    """A category of personal data that purposes, rules and systems name by its slug, which never changes.

    Whether it is sensitive stands in the register of sensitive categories alone, under the same slug.
    """

    slug = models.CharField(max_length=64, unique=True, validators=[_SLUG])
    name = models.CharField(max_length=120)
    fideslang_key = models.CharField(max_length=120, blank=True, validators=[_FIDES_KEY])
    dpv_term = models.CharField(max_length=64, blank=True)

    class Meta:
        ordering = ["slug"]
        verbose_name = "data category"
        verbose_name_plural = "data categories"

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        """Refuse a term that the vocabulary does not have: receipts would carry an address that names nothing."""
        if self.dpv_term and self.dpv_term not in data_terms.dpv():
            hint = nearest.hint(self.dpv_term, data_terms.dpv())
            raise ValidationError({"dpv_term": f"“{self.dpv_term}” is no term of the DPV for personal data. {hint}"})


class DataCategoryText(models.Model):
    """A data category's name in another language than the register's own."""

    category = models.ForeignKey(DataCategory, on_delete=models.CASCADE, related_name="texts")
    locale = models.CharField(max_length=12)
    name = models.CharField(max_length=120)

    class Meta:
        ordering = ["category", "locale"]
        constraints = [models.UniqueConstraint(fields=["category", "locale"], name="consent_data_category_text")]

    def __str__(self) -> str:
        return f"{self.name} ({self.locale})"
