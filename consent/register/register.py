"""Change the register of processing: purposes and notices. Every change is audited and is a new bundle revision."""

from typing import Any

from django.db import transaction
from django.db.models import Max

from audit import trail
from audit.sealed_rows import SealedRows
from common import policy_data
from common.canonical import sha256
from common.http.problems import Conflict
from consent.models import DataCategory, Notice, Party, Purpose

PURPOSES = SealedRows(
    "purpose",
    Purpose,
    (
        "slug", "name", "benefit", "legal_basis", "parent_id", "actions", "data_categories", "recipients", "channels",
        "max_level", "consent_valid_for", "kept_for", "controller_id", "is_active", "explicit_consent",
    ),
)  # fmt: skip
NOTICES = SealedRows(
    "notice", Notice, ("purpose_id", "version", "locale", "text", "text_sha256", "is_material", "published_at")
)


class PurposeInUse(Conflict):
    code = "purpose_in_use"
    title = "The legal basis of a purpose in use cannot change"


class NotATranslation(Conflict):
    code = "not_a_translation"
    title = "This version cannot be translated so"


class DataCategoryInUse(Conflict):
    code = "data_category_in_use"
    title = "The data category is in use"


class KeptElsewhere(Conflict):
    code = "kept_elsewhere"
    title = "This register is kept in another cell"


class NoticeMovedOn(Conflict):
    code = "notice_moved_on"
    title = "The notice has changed meanwhile"


# The cell whose officers keep this register, where it is not this one (docs/decisions/0017).
_kept_by: str | None = None


def keep_elsewhere(cell: str | None) -> None:
    """Refuse changes of purposes and notices from here on: a notice published here could never be taken back."""
    global _kept_by
    _kept_by = cell


def _refuse_if_kept_elsewhere() -> None:
    if _kept_by is not None:
        raise KeptElsewhere(f"Purposes and notices are kept in cell '{_kept_by}'. Change them there.")


@transaction.atomic
def save_purpose(purpose: Purpose, *, actor: str) -> Purpose:
    """Create or change a purpose. Its legal basis is fixed after the first answer (GDPR Article 13(1)(c))."""
    _refuse_if_kept_elsewhere()
    created = purpose.pk is None
    if not created:
        before = Purpose.objects.select_for_update().get(pk=purpose.pk)
        if before.legal_basis != purpose.legal_basis and purpose.records.exists():
            raise PurposeInUse("People have answered under the present legal basis; make a new purpose instead.")
    purpose.save()
    trail.record(
        "purpose.created" if created else "purpose.changed",
        purpose.slug,
        actor=actor,
        details={**_described(purpose), **PURPOSES.sealed(purpose)},
    )
    policy_data.changed(reason=f"purpose {purpose.slug}", actor=actor)
    return purpose


def _described(purpose: Purpose) -> dict[str, Any]:
    return {
        "legal_basis": purpose.legal_basis,
        "actions": purpose.actions,
        "data_categories": purpose.data_categories,
        "max_level": purpose.max_level,
        "is_active": purpose.is_active,
    }


def note_texts(purpose: Purpose, *, actor: str) -> None:
    """Record in the audit trail which languages a purpose is described in, after that has changed."""
    locales = sorted(purpose.texts.values_list("locale", flat=True))
    trail.record("purpose.described", purpose.slug, actor=actor, details={"locales": locales})


def note_reasons(purpose: Purpose, *, actor: str) -> None:
    """Record in the audit trail which data categories are explained in which languages, after that has changed."""
    found: dict[str, list[str]] = {}
    for kind, locale in purpose.data_reasons.order_by("category__slug", "locale").values_list(
        "category__slug", "locale"
    ):
        found.setdefault(kind, []).append(locale)
    trail.record("purpose.data_explained", purpose.slug, actor=actor, details={"reasons": found})


@transaction.atomic
def save_data_category(category: DataCategory, *, actor: str) -> DataCategory:
    """Create or change a data category. Names are for people; decisions know it by its slug alone."""
    _refuse_if_kept_elsewhere()
    created = category._state.adding  # noqa: SLF001 (Django documents it for this use)
    category.save()
    details = {"name": category.name, "fideslang_key": category.fideslang_key, "dpv_term": category.dpv_term}
    action = "data_category.created" if created else "data_category.changed"
    trail.record(action, category.slug, actor=actor, details=details)
    return category


@transaction.atomic
def delete_data_category(category: DataCategory, *, actor: str) -> None:
    """Remove a data category that no purpose names. Raises DataCategoryInUse."""
    _refuse_if_kept_elsewhere()
    users = Purpose.objects.filter(data_categories__contains=[category.slug]).values_list("slug", flat=True)
    if names := ", ".join(users):
        raise DataCategoryInUse(f"Purposes use it: {names}. Take it out of them first.")
    slug = category.slug
    category.delete()
    trail.record("data_category.deleted", slug, actor=actor)


@transaction.atomic
def save_party(party: Party, *, actor: str) -> Party:
    """Create or change a party. Receipts name it as it stands when they are issued."""
    created = party._state.adding  # noqa: SLF001 (Django documents it for this use)
    party.save()
    action = "party.created" if created else "party.changed"
    details = {
        "role": party.role,
        "country": party.country,
        "contract": party.contract,
        "transfer_basis": party.transfer_basis,
    }
    trail.record(action, party.slug, actor=actor, details=details)
    return party


@transaction.atomic
def delete_party(party: Party, *, actor: str) -> None:
    """Remove a party that no purpose names as its controller (the database refuses others)."""
    slug = party.slug
    party.delete()
    trail.record("party.deleted", slug, actor=actor)


@transaction.atomic
def publish_notice(
    *,
    purpose: Purpose,
    text: str,
    actor: str,
    locale: str = "en",
    is_material: bool = True,
    version: int | None = None,
    based_on: int | None = None,
) -> Notice:
    """Publish the next version of a purpose's notice. A material one makes earlier consents ask again.

    ``version`` adds the same version in another language: it says the same, so earlier consents stay valid.
    ``based_on`` is the newest version the author saw (0: none). Raises NoticeMovedOn if there is a newer one.
    """
    _refuse_if_kept_elsewhere()
    Purpose.objects.select_for_update().get(pk=purpose.pk)
    versions = Notice.objects.filter(purpose=purpose)
    newest = versions.aggregate(last=Max("version"))["last"] or 0
    if based_on is not None and based_on != newest:
        raise NoticeMovedOn(f"Somebody published version {newest} meanwhile. Compare your text with it once more.")
    if version is None:
        version = newest + 1
    else:
        original = versions.filter(version=version).first()
        if original is None or versions.filter(version=version, locale=locale).exists():
            raise NotATranslation("There is no such version to translate, or it is there in this language already.")
        is_material = original.is_material
    notice = Notice.objects.create(
        purpose=purpose,
        version=version,
        locale=locale,
        text=text,
        text_sha256=sha256(text.encode()).hex(),
        is_material=is_material,
    )
    trail.record(
        "notice.published",
        purpose.slug,
        actor=actor,
        details={
            "version": notice.version,
            "locale": locale,
            "sha256": notice.text_sha256,
            "is_material": notice.is_material,
            **NOTICES.sealed(notice),
        },
    )
    policy_data.changed(reason=f"notice of {purpose.slug}", actor=actor)
    return notice
