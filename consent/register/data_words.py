"""Data categories and the reasons for them, in one language: what people read about a purpose."""

from dataclasses import dataclass

from consent.models import DataCategory, DataCategoryText, Purpose, PurposeData
from consent.register import words

_OWN = "en"  # the register's own language


@dataclass(frozen=True)
class DataReason:
    """Why a purpose needs a category; ``locale`` is empty where that is the language asked for."""

    name: str
    reason: str
    benefit: str
    locale: str


class DataDescriptions:
    """Every data category in one language, in the register's own (English) where there is no translation."""

    def __init__(self, language: str) -> None:
        self._language = language
        self._names = dict(DataCategory.objects.values_list("slug", "name"))
        texts = DataCategoryText.objects.filter(locale=language).values_list("category__slug", "name")
        self._texts = dict(texts)
        rows = PurposeData.objects.filter(locale__in={language, _OWN}).select_related("category")
        self._reasons = {(row.purpose_id, row.category.slug, row.locale): row for row in rows}

    def name(self, slug: str) -> str:
        """Return the name in the language; a name that the register never changed is translated by this release."""
        own = self._names.get(slug, slug.replace("_", " "))
        is_shipped = own == slug.replace("_", " ")
        return self._texts.get(slug) or (words.plain(slug) if is_shipped else own)

    def names_of(self, purpose: Purpose) -> list[str]:
        return [self.name(slug) for slug in purpose.data_categories]

    def reasons_of(self, purpose: Purpose) -> list[DataReason]:
        """Return the reasons that are there, in the order of the purpose's data categories."""
        found = []
        for slug in purpose.data_categories:
            row = self._reasons.get((purpose.pk, slug, self._language)) or self._reasons.get((purpose.pk, slug, _OWN))
            if row is not None:
                locale = "" if row.locale == self._language else row.locale
                found.append(DataReason(self.name(slug), row.reason, row.benefit, locale))
        return found
