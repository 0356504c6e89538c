"""Register versions of models whose engine runs elsewhere, and change their drafts.

A model belongs to whom registered it first: no other service adds to it. A version is known by the label its owner
gives it. The same registration sent again changes nothing; another one of the label is refused, as the file behind a
name never changes. Entries and numbers are never removed, so a name that is used again is the same model, and each
version begins without any permission.
"""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from django.db import transaction

from audit import trail
from common.canonical import digest_of
from common.http.problems import Conflict, InvalidRequest, NotFound
from consent.models import Purpose
from model_registry import services
from model_registry.external.bodies import ChangeBody, RegisterBody, Stated
from model_registry.gates import recording
from model_registry.gates.running import MONITORS
from model_registry.models import Evidence, ModelVersion
from oversight import guard

_SLUG = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
_reserved: set[str] = set()


class VersionDiffers(Conflict):
    code = "version_differs"
    title = "The label stands for another version"


class VersionFrozen(Conflict):
    code = "version_frozen"
    title = "The version is no draft any more"


@dataclass(frozen=True)
class Registered:
    version: ModelVersion
    is_new: bool


def reserve(slug: str) -> None:
    """Keep a name for an engine of this installation. Called in ``AppConfig.ready()``."""
    _reserved.add(slug)


@transaction.atomic
def register(slug: str, body: RegisterBody, *, actor: str) -> Registered:
    """Register a version as a draft, or return the one that this very registration made.

    Raises ModelOfOthers, VersionDiffers, and InvalidRequest for a name of another form, or a purpose that is not in
    the register.
    """
    if not _SLUG.fullmatch(slug):
        raise InvalidRequest("A model's name has up to 64 small letters, digits, hyphens and underscores.")
    if slug in _reserved:
        raise services.ModelOfOthers(f"The name “{slug}” is of an engine of this installation.")
    purposes = _purposes(body.purposes)
    entry = services.register_model(slug, name=body.name or slug, description=body.description, registrant=str(actor))
    # Of the version alone: name and description are of the model.
    known_by = digest_of(body.model_dump(mode="json", exclude={"name", "description"}))
    found = entry.versions.filter(label=body.label).select_related("model").first()
    if found is not None:
        if bytes(found.registered_sha256) != known_by:
            raise VersionDiffers(f"“{body.label}” is registered as {found}, and differently. Give it another label.")
        return Registered(found, is_new=False)
    version = services.register_version(
        model=entry,
        purposes=purposes,
        actor=actor,
        max_level=body.max_level,
        artifact_sha256=body.sha256 or "",
        metrics=_metrics(body.ndcg_at_10_per_mille),
        registration=services.Registration(body.label, body.endpoint or "", known_by),
    )
    if body.states is not None:
        state(version, body.states, actor=actor)
    return Registered(version, is_new=True)


@transaction.atomic
def change(version: ModelVersion, body: ChangeBody, *, actor: str) -> ModelVersion:
    """Change what a body names of a draft. Raises VersionFrozen, and InvalidRequest as ``register``."""
    current = ModelVersion.objects.select_for_update(of=("self",)).select_related("model").get(pk=version.pk)
    if current.status != ModelVersion.Status.DRAFT:
        raise VersionFrozen(
            f"{current} is {current.get_status_display().lower()}: what it is and may do is changed by its officers."
        )
    named = sorted(body.model_fields_set)
    purposes = _purposes(body.purposes) if "purposes" in named else None
    with guard.writing("registration"):
        columns = [name for name in named if name != "purposes"]
        for name in columns:
            setattr(current, name, getattr(body, name))
        current.save(update_fields=columns)
        if purposes is not None:
            current.purposes.set(purposes)
    if named:
        details: dict[str, Any] = {"named": named, **body.model_dump(mode="json", exclude_unset=True)}
        trail.record("model.changed", str(current), actor=actor, details=details)
    return current


def state(version: ModelVersion, stated: Stated, *, actor: str) -> list[Evidence]:
    """Append what the operator states of a version as evidence, named as theirs."""
    return [
        recording.record_evidence(
            version, Evidence.Kind.STATED, name, is_passed=is_passed, figures=figures, actor=actor
        )
        for name, is_passed, figures in _findings(stated)
    ]


def _findings(stated: Stated) -> list[tuple[str, bool, dict[str, Any]]]:
    found: list[tuple[str, bool, dict[str, Any]]] = []
    if stated.segments is not None:
        segments = {"segments": stated.segments.count, "smallest": stated.segments.smallest}
        found.append(("segments", True, segments))
    if stated.has_fallback is not None:
        found.append(("fallback", stated.has_fallback, {}))
    if stated.opted_out_served_alike is not None:
        found.append(("opted_out", stated.opted_out_served_alike, {}))
    if stated.newest_data is not None:
        found.append(("freshness", True, {"newest": stated.newest_data.isoformat()}))
    if stated.beyond_objectives is not None:
        found.append((MONITORS, True, {"beyond": sorted(set(stated.beyond_objectives))}))
    return found


def of(slug: str, number: int, *, registrant: str | None = None) -> ModelVersion:
    """Return a version; with a ``registrant``, one that is theirs to change. Raises NotFound, ModelOfOthers."""
    found = ModelVersion.objects.filter(model__slug=slug, version=number).select_related("model").first()
    if found is None:
        raise NotFound("There is no such version of a model.")
    if registrant is not None and found.model.registrant != str(registrant):
        raise services.ModelOfOthers("The model is registered by others. Its own service changes it.")
    return found


def registered_by(registrant: str, slug: str, number: int) -> ModelVersion:
    """Return a version that a service registered; of others it learns nothing. Raises NotFound."""
    try:
        return of(slug, number, registrant=registrant)
    except services.ModelOfOthers:
        raise NotFound("There is no such version of a model.") from None


def _metrics(ndcg: Mapping[Any, int]) -> dict[str, Any]:
    return {"ndcg_at_10_per_mille": dict(ndcg)} if ndcg else {}


def _purposes(slugs: Collection[str]) -> list[Purpose]:
    found = list(Purpose.objects.filter(slug__in=slugs, is_active=True))
    if len(found) != len(set(slugs)):
        raise InvalidRequest(
            "Some members of the body are not as they should be.",
            errors={"purposes": ["names a purpose that is not in the register, or not active"]},
        )
    return found
