"""Descriptors of the registers of processing: parties, data categories, purposes with their texts, sites, notices."""

from collections.abc import Mapping
from typing import Any

from django.db.models import Max

from common.levels import LEVELS
from consent.models import DataCategory, DataCategoryText, Notice, Party, Purpose, PurposeData, PurposeText, Site
from consent.register import terms
from consent.register.register import NOTICES, PURPOSES, write_notice, write_purpose
from oversight.registers import Child, Document, Register

_LISTS = ("data_categories", "recipients", "channels", "actions")


def purpose_narrows(before: Document | None, after: Document | None) -> bool:
    """Return whether a purpose may do less after the change, and nothing else about it has changed."""
    if before is None or after is None:
        return False
    return all(_member_narrows(name, before.get(name), after.get(name)) for name in before.keys() | after.keys())


def _member_narrows(name: str, old: Any, new: Any) -> bool:
    if old == new:
        return True
    if name in _LISTS:
        return set(new) <= set(old)
    if name == "data_reasons":
        return all(old.get(key) == reason for key, reason in new.items())
    if name == "max_level":
        return LEVELS[str(new)] < LEVELS[str(old)]
    if name == "consent_valid_for":
        return bool(new < old)
    return (name, new) in (("is_active", False), ("explicit_consent", True))


def notice_inverse(_before: Document | None, after: Document | None) -> tuple[str, Document | None] | None:
    """Return the next version with the text that was in force before; None for a first text of its language."""
    if after is None:
        return None
    notices = Notice.objects.filter(purpose__slug=after["purpose"])
    older = notices.filter(locale=after["locale"], version__lt=after["version"]).order_by("-version").first()
    if older is None:
        return None
    version = notices.aggregate(last=Max("version"))["last"] + 1
    return f"{after['purpose']}/{version}/{after['locale']}", {**after, "version": version, "text": older.text}


def notice_to_confirm(before: Document | None, after: Document | None) -> str:
    """Return the claim of a new version that asks nobody again: only a second officer makes it true."""
    if before is not None or after is None or after["is_material"] or _is_translation(after):
        return ""
    return (
        f"Version {after['version']} of the notice of “{after['purpose']}” is to ask nobody again: its text is said to"
        " say no more than the lists of what is done."
    )


def _is_translation(notice: Document) -> bool:
    return Notice.objects.filter(purpose__slug=notice["purpose"], version=notice["version"]).exists()


def notice_narrows_with(_key: str, after: Document | None, together: Mapping[tuple[str, str], Document | None]) -> bool:
    """Return whether a version goes back to an older text, and its purpose with it to no more than that one covers."""
    purpose = together.get(("purpose", after["purpose"])) if after else None
    if after is None or purpose is None or after["is_material"]:
        return False
    older = Notice.objects.filter(purpose__slug=after["purpose"], locale=after["locale"], text=after["text"])
    version = older.order_by("-version").values_list("version", flat=True).first()
    if version is None:
        return False
    return terms.beyond(terms.Coverage.read(purpose), terms.of_version(after["purpose"], version)) is None


def site_narrows(before: Document | None, after: Document | None) -> bool:
    """Return whether a site asks less, or nothing any more."""
    if before is None or after is None:
        return False
    kept = all(before[name] == after[name] for name in before.keys() - {"is_active", "purposes", "origins"})
    less = all(set(after[name]) <= set(before[name]) for name in ("purposes", "origins"))
    return kept and less and (before["is_active"] or not after["is_active"])


PARTY = Register(name="party", title="Party", model=Party, key=("slug",))
DATA_CATEGORY = Register(
    name="data_category",
    title="Data category",
    model=DataCategory,
    key=("slug",),
    children=(Child("texts", DataCategoryText, "category", ("locale",)),),
    in_bundle=False,
)
SITE = Register(name="site", title="Site", model=Site, key=("slug",), in_bundle=False, keeps=True, narrows=site_narrows)
PURPOSE = Register(
    name="purpose",
    title="Processing activity",
    model=Purpose,
    key=("slug",),
    children=(
        Child("texts", PurposeText, "purpose", ("locale",)),
        Child("data_reasons", PurposeData, "purpose", ("category", "locale")),
    ),
    keeps=True,
    narrows=purpose_narrows,
    save=write_purpose,
    sealed=PURPOSES,
)
NOTICE = Register(
    name="notice",
    title="Notice",
    model=Notice,
    key=("purpose", "version", "locale"),
    omits=("text_sha256", "published_at"),
    keeps=True,
    save=write_notice,
    inverse=notice_inverse,
    narrows_with=notice_narrows_with,
    to_confirm=notice_to_confirm,
    sealed=NOTICES,
    is_last=True,
)
# What others name comes first.
REGISTERS = (PARTY, DATA_CATEGORY, PURPOSE, SITE, NOTICE)
