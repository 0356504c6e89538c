"""What an audit reads: the model's file, events of its people and of a control group, their groups, recorded cases."""

from collections.abc import Iterable
from pathlib import Path
from uuid import UUID

from django.conf import settings
from django.db.models import Q, QuerySet
from django.db.models.expressions import RawSQL

from common import actors
from common.http.problems import Conflict, Problem
from common.levels import Level
from common.suppression import smallest_group
from consent.models import DataSubject
from model_registry.models import ModelVersion
from personalization import engine, training, windows
from personalization.audits.models import RegressionCase
from personalization.audits.suite import Audited
from personalization.event_store.refusals import REFUSED, SPEAKS, STORED
from personalization.models import Item, TrainingMember
from personalization.recommender import interactions as rec
from personalization.recommender import storage
from personalization.recommender.audits.membership import SAMPLE
from personalization.recommender.audits.regression import Case, Touch
from personalization.recommender.model import Model
from personalization.training_data.permission import permitted

# People of whom an event still speaks for an item.
_USEFUL = f"""
WITH {REFUSED}
SELECT DISTINCT e.subject_ref FROM personalization_event e LEFT JOIN refused r USING ({", ".join(STORED)})
WHERE e.purpose = %s AND {SPEAKS}
"""  # noqa: S608 (constants)


class NotAuditable(Conflict):
    code = "model_not_auditable"
    title = "This version cannot be audited here"


def gather(version: ModelVersion) -> Audited:
    """Read all that the audits of a version need. Raises NotAuditable."""
    refuse_foreign(version)
    model = stored(version)
    members = _interactions(_members(version))
    control = _interactions(_control(version))
    found = (*members.people.distinct(), *control.people.distinct())
    people = {bytes(person) for person in found if isinstance(person, bytes)}
    region, age_band = _groups(people)
    return Audited(
        model=model,
        members=members,
        control=control,
        attributes={"region": region, "age_band": age_band},
        segments={person: engine.segment_key(region[person], age_band[person]) for person in region},
        register=windows.people_by_segment(version),
        before=_before(version),
        cases=cases(version),
        level=Level(version.max_level),
        least=smallest_group(),
    )


def refuse_foreign(version: ModelVersion) -> None:
    """Raise NotAuditable for a version without a file of the house recommender."""
    if version.model.slug != engine.MODEL_SLUG or not version.artifact:
        raise NotAuditable("Only versions of the house recommender can be audited here: their file is at hand.")


def stored(version: ModelVersion) -> Model:
    """Return the model of a version, out of the very file that is registered. Raises NotAuditable."""
    folder = Path(settings.MODEL_DIR)
    try:
        return storage.load(folder / version.artifact, folder=folder, digest=version.artifact_sha256)
    except (Problem, OSError) as exc:
        raise NotAuditable("The version's file is missing, or is not the one that is registered.") from exc


def _interactions(people: list[UUID]) -> rec.Interactions:
    """Read what people did as a training does, of items that are off as well."""
    from personalization.training_data import reading  # Arrow and an engine of queries, only in a job

    items = list(Item.objects.values_list("slug", flat=True))
    with reading.tables(people, items, purpose=training.PURPOSE) as tables:
        return tables.interactions()


def _members(version: ModelVersion) -> list[UUID]:
    """Return the people of a version, without those who are restricted or held."""
    members = TrainingMember.objects.filter(version=version).exclude(subject_ref__in=_limited())
    return list(members.values_list("subject_ref", flat=True))


def _control(version: ModelVersion) -> list[UUID]:
    """Return people the version was not trained on and who permit training: newcomers, mostly."""
    members = TrainingMember.objects.filter(version=version).values("subject_ref")
    useful = DataSubject.objects.filter(ref__in=RawSQL(_USEFUL, [training.PURPOSE]))  # noqa: S611 (a constant)
    others = useful.exclude(ref__in=members).exclude(ref__in=_limited()).order_by("ref")
    refs = list(others.values_list("ref", flat=True)[:SAMPLE])
    return permitted(refs, purpose=training.PURPOSE, caller=actors.job("audits"))


def _limited() -> QuerySet[DataSubject, UUID]:
    return DataSubject.objects.filter(Q(held=True) | Q(restricted=True) | ~Q(limits={})).values_list("ref", flat=True)


def _groups(people: Iterable[bytes]) -> tuple[dict[rec.Person, str], dict[rec.Person, str]]:
    refs = [UUID(bytes=person) for person in people]
    region: dict[rec.Person, str] = {}
    age_band: dict[rec.Person, str] = {}
    rows = DataSubject.objects.filter(ref__in=refs).values_list("ref", "region", "age_band")
    for ref, of_region, of_age in rows.iterator(chunk_size=20_000):
        region[ref.bytes], age_band[ref.bytes] = of_region, of_age
    return region, age_band


def _before(version: ModelVersion) -> Model | None:
    """Return the version that people saw until this one, if its file is there."""
    older = ModelVersion.objects.filter(model_id=version.model_id, version__lt=version.version)
    before = older.filter(status__in=ModelVersion.IN_USE).exclude(artifact="").order_by("-version").first()
    try:
        return stored(before) if before else None
    except NotAuditable:
        return None


def cases(version: ModelVersion) -> list[Case]:
    """Return the recorded cases of a version's model that are in use."""
    rows = RegressionCase.objects.filter(model_id=version.model_id, is_active=True)
    return [_case(row) for row in rows]


def _case(row: RegressionCase) -> Case:
    return Case(
        name=row.slug,
        level=Level(row.level),
        history=[Touch(item) for item in row.history],
        segment=engine.segment_key(row.region, row.age_band) if row.region else None,
        expected=row.expected,
        forbidden=row.forbidden,
        level_used=row.level_used,
        reasons=row.reasons,
    )
