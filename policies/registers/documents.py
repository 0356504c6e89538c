"""Entries of the registers as services read them."""

from typing import Any

from django.conf import settings
from django.db.models import Max, Prefetch, Q, QuerySet
from django.utils import translation

from common import languages
from common.levels import LEVELS, Level
from consent.models import Purpose
from consent.register import words
from policies.models import Jurisdiction, Region
from privacy.retention.data_sets import periods


def active_purposes() -> QuerySet[Purpose]:
    """Return the active purposes with all that ``purpose`` shows of them: two statements, however many there are."""
    return (
        Purpose.objects.filter(is_active=True)
        .select_related("parent", "controller")
        .prefetch_related("texts")
        .annotate(
            retention_days=periods.Days(),
            notice_version=Max("notices__version"),
            notice_required=Max("notices__version", filter=Q(notices__is_material=True)),
        )
    )


def purpose(row: Any) -> dict[str, Any]:
    """Return a purpose of ``active_purposes``; its texts by language, the register's own among them."""
    texts = {settings.LANGUAGE_CODE: row, **{text.locale: text for text in row.texts.all()}}
    return {
        "slug": row.slug,
        "names": {locale: text.name for locale, text in texts.items()},
        "benefits": {locale: text.benefit for locale, text in texts.items()},
        "parent": row.parent.slug if row.parent else None,
        "controller": {"slug": row.controller.slug, "name": row.controller.name} if row.controller else None,
        "legal_basis": row.legal_basis,
        "explicit_consent": row.explicit_consent,
        "may_be_objected": row.may_be_objected,
        "consent_valid_days": row.consent_valid_for.days if row.needs_consent else None,
        "notice": _notice(row),
        "levels": [level for level, rank in LEVELS.items() if rank <= LEVELS[row.max_level]],
        "actions": sorted(row.actions),
        "data_categories": sorted(row.data_categories),
        "recipients": sorted(row.recipients),
        "channels": sorted(row.channels),
        "retention": _retention(row.retention_days, texts),
    }


def _notice(row: Any) -> dict[str, int] | None:
    """Return the newest version, and the one a consent must have seen at least."""
    if row.notice_version is None:
        return None
    return {"version": row.notice_version, "required_version": row.notice_required or 1}


def _retention(days: int | None, texts: dict[str, Any]) -> dict[str, Any]:
    """Return after how many days the data is deleted, None without a schedule, and how people are told so."""
    return {
        "days": days,
        "descriptions": {locale: text.kept_for for locale, text in texts.items() if text.kept_for},
    }


def jurisdictions() -> QuerySet[Jurisdiction]:
    """Return the laws with their regions: two statements, however many there are."""
    return Jurisdiction.objects.prefetch_related(Prefetch("region_set", queryset=Region.objects.order_by("code")))


def jurisdiction(row: Any) -> dict[str, Any]:
    """Return a law of ``jurisdictions``; a region's own age of consent stands above the law's."""
    return {
        "slug": row.slug,
        "name": row.name,
        "source": row.source,
        "regions": [
            {"code": region.code, "name": region.name, "age_of_consent": region.age_of_consent or row.age_of_consent}
            for region in row.region_set.all()
        ],
        "consent_default": row.consent_default,
        "unasked_max_level": row.unasked_max_level,
        "consent_valid_days": row.consent_days,
        "ask_again_after_days": row.reask_days,
        "age_of_consent": row.age_of_consent,
        "opt_in_below_age": row.opt_in_below,
        "minor_max_level": row.minor_max_level,
        "unknown_age_is_adult": row.unknown_age_is_adult,
        "answer_within": {"days": row.answer_days, "unit": row.answer_unit, "extension_days": row.extension_days},
        "confirm_within": {"days": row.confirm_days, "unit": row.confirm_unit} if row.confirm_days else None,
        "binding_signals": sorted(row.binding_signals),
        "signal_caps": dict(sorted(row.signal_caps.items())),
    }


def levels() -> list[dict[str, Any]]:
    """Return the levels with their names in every language of this installation."""
    return [{"level": level.value, "rank": LEVELS[level], "names": _names(level)} for level in Level]


def _names(level: Level) -> dict[str, str]:
    names = {}
    for code in languages.offered():
        with translation.override(code):
            names[code] = str(words.LEVELS[level])
    return names
