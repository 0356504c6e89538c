"""Change the register of processing: purposes and notices. Every change is audited and is a new bundle revision."""

from typing import Any

from django.db import transaction
from django.db.models import Max

from audit import trail
from audit.sealed_rows import SealedRows
from common import policy_data
from common.canonical import sha256
from common.http.problems import Conflict
from consent.models import Notice, Purpose
from consent.register import terms
from consent.register.terms import Finding
from oversight import registers

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


class NotCosmetic(Conflict):
    code = "not_cosmetic"
    title = "Everybody has to be asked again about this version"


class NotATranslation(Conflict):
    code = "not_a_translation"
    title = "This version cannot be translated so"


class NoticeMovedOn(Conflict):
    code = "notice_moved_on"
    title = "The notice has changed meanwhile"


class NoticeIsFixed(Conflict):
    code = "notice_is_fixed"
    title = "A published notice can never be changed"


def write_purpose(purpose: Purpose, created: bool) -> None:
    """Write a purpose. Its legal basis is fixed after the first answer (GDPR Article 13(1)(c)).

    Raises PurposeInUse.
    """
    if not created:
        before = Purpose.objects.select_for_update(no_key=True).get(pk=purpose.pk)
        if before.legal_basis != purpose.legal_basis and purpose.records.exists():
            raise PurposeInUse("People have answered under the present legal basis; make a new purpose instead.")
    purpose.save()


def write_notice(notice: Notice, created: bool) -> None:
    """Write the next version of a notice, or a translation of one that is there.

    Raises NoticeIsFixed, NoticeMovedOn, NotATranslation, NotCosmetic.
    """
    if not created:
        raise NoticeIsFixed("A published notice can never be changed; publish the next version.")
    versions = Notice.objects.filter(purpose=notice.purpose)
    newest = versions.aggregate(last=Max("version"))["last"] or 0
    original = versions.filter(version=notice.version).first()
    if original is None and notice.version != newest + 1:
        raise NoticeMovedOn(f"The next version is {newest + 1}. Compare your text with the newest once more.")
    if original is not None and original.is_material != notice.is_material:
        raise NotATranslation("A translation asks people again exactly where its version does.")
    if original is None and not notice.is_material and (found := asks_everybody(notice.purpose)):
        raise NotCosmetic(f"{' '.join(finding.detail for finding in found)} Mark the version as material.")
    notice.text_sha256 = sha256(notice.text.encode()).hex()
    notice.save()


@transaction.atomic
def save_purpose(purpose: Purpose, *, actor: str) -> Purpose:
    """Create or change a purpose by the program. Officers' changes are change sets."""
    registers.refuse_if_kept_elsewhere()
    created = purpose.pk is None
    write_purpose(purpose, created)
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


def asks_everybody(purpose: Purpose) -> list[Finding]:
    """Return what the register says beyond the newest version that no question can separate; nothing before any."""
    newest = terms.newest_version(purpose.slug)
    if not newest:
        return []
    found = terms.material(terms.of_version(purpose.slug, newest), terms.of_register(purpose))
    return [finding for finding in found if not finding.is_separable]


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

    A version is material by comparison, too: where the register names another controller or keeps data longer than the
    version before it said. What a question can be about (data, recipients, ...) needs no such word: nobody is taken to
    have agreed to what is new.
    ``version`` adds the same version in another language: it says the same, so earlier consents stay valid.
    ``based_on`` is the newest version the author saw (0: none). Raises NoticeMovedOn if there is a newer one.
    """
    registers.refuse_if_kept_elsewhere()
    Purpose.objects.select_for_update(no_key=True).get(pk=purpose.pk)
    versions = Notice.objects.filter(purpose=purpose)
    newest = versions.aggregate(last=Max("version"))["last"] or 0
    if based_on is not None and based_on != newest:
        raise NoticeMovedOn(f"Somebody published version {newest} meanwhile. Compare your text with it once more.")
    if version is None:
        version = newest + 1
        is_material = is_material or bool(asks_everybody(purpose))
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
