"""What the registers know of a version's purposes, in sentences: data with reasons, recipients, retention, levels."""

from collections.abc import Iterable, Sequence

from django.conf import settings
from django.db.models import Q

from consent.models import DataCategory, Party, Purpose, PurposeData
from model_registry.documents.card import Contact
from model_registry.models import ModelVersion
from privacy.models import RetentionSchedule

_OWN = "en"  # the register's own language


def purposes(version: ModelVersion) -> list[Purpose]:
    return list(version.purposes.order_by("slug"))


def described(purpose: Purpose) -> str:
    """Return a purpose with its benefit, its lawful basis, its data, its recipients and its most personal level."""
    kinds = ", ".join(sorted(purpose.data_categories)) or "no data"
    return (
        f"{purpose.name}: {purpose.benefit} Data: {kinds}. Legal basis: {purpose.get_legal_basis_display()}."
        f" To: {recipients(purpose)}. Most personal level: {purpose.get_max_level_display()}."
    )


def recipients(purpose: Purpose) -> str:
    """Return the recipients with their role, country and what a transfer to them rests on."""
    known = {party.slug: party for party in Party.objects.filter(slug__in=purpose.recipients)}
    named = [_party(known[slug]) if slug in known else slug for slug in sorted(purpose.recipients)]
    return ", ".join(named) or "no recipient"


def _party(party: Party) -> str:
    rests = f", transfer: {party.get_transfer_basis_display().lower()}" if party.transfer_basis else ""
    return f"{party.name} ({party.get_role_display().lower()}, {party.country}{rests})"


def reasons(version: ModelVersion) -> list[str]:
    """Return why each purpose uses each data category, as the register of purposes says."""
    names = dict(DataCategory.objects.values_list("slug", "name"))
    rows = PurposeData.objects.filter(purpose__in=version.purposes.all(), locale=_OWN)
    found = {(row.purpose_id, row.category.slug): row.reason for row in rows.select_related("category")}
    return [
        f"{purpose.name}, {names.get(slug, slug).lower()}: {found.get((purpose.pk, slug), 'no reason is registered.')}"
        for purpose in purposes(version)
        for slug in sorted(purpose.data_categories)
    ]


def retention(version: ModelVersion) -> list[str]:
    """Return the retention schedules of a version's purposes, and of data sets without a purpose."""
    about = Q(purpose__in=version.purposes.all()) | Q(purpose=None)
    rows = RetentionSchedule.objects.filter(about, is_active=True).select_related("purpose").order_by("slug")
    said = [f"{purpose.name}: {purpose.kept_for}" for purpose in purposes(version) if purpose.kept_for]
    return [*said, *map(_schedule, rows)]


def _schedule(row: RetentionSchedule) -> str:
    whose = f" of {row.purpose.name}" if row.purpose else ""
    if row.retain_for is None:
        return f"{row.data_set}{whose}: the last {row.keep_last} of a person; {row.get_action_display().lower()}."
    return (
        f"{row.data_set}{whose}: {row.retain_for.days} days from: {row.get_trigger_display().lower()};"
        f" {row.get_action_display().lower()}."
    )


def region() -> str:
    return f"Processed in the region “{settings.PROCESSING_REGION}”."


def parties(roles: Sequence[str]) -> list[Party]:
    """Return parties of the roles, in the order of the roles."""
    found = Party.objects.filter(role__in=roles).order_by("name")
    return sorted(found, key=lambda party: roles.index(party.role))


def contacts(version: ModelVersion) -> list[Contact]:
    """Return whom to ask about a version: its owner, then controller and data protection officer."""
    named = parties((Party.Role.CONTROLLER, Party.Role.OFFICER))
    owners = [Contact(name=party.name, contact=party.email or party.url) for party in named]
    return [*([Contact(name=version.model.owner)] if version.model.owner else []), *owners]


def reached(party: Party) -> str:
    return ", ".join(filter(None, [party.name, party.email or party.phone or party.url]))


def lines(texts: Iterable[str]) -> str:
    return "\n".join(texts)
