"""Features of a person, read by a logged decision about the purpose that they stand under.

A feature of another purpose is unknown here, and one that is computed of a kind of data that the person leaves out is
refused with all others. A training reads those of the people it may learn from (``training_data.permission``).
"""

from collections.abc import Sequence
from uuid import UUID

from django.conf import settings
from django.utils import timezone

from personalization.features import definitions
from personalization.features.definitions import Definition
from personalization.features.problems import FeatureNotPermitted, FeatureUnknown
from personalization.training_data import reading
from policies.decisions.evaluate import decide
from policies.decisions.questions import Question

Values = dict[str, int | None]


def read(subject_ref: UUID, names: Sequence[str], *, purpose: str, caller: str) -> Values:
    """Return a person's features as they are now. Raises FeatureUnknown and FeatureNotPermitted.

    ``caller`` is named in the decision log.
    """
    known = {each.name: each for each in definitions.in_force(purpose)}
    if unknown := sorted(set(names) - known.keys()):
        raise FeatureUnknown(f"Under the purpose “{purpose}” there is no feature {', '.join(unknown)}.")
    wanted = [known[name] for name in names]
    _require_permission(subject_ref, wanted, purpose, caller)
    with reading.tables([subject_ref], [], purpose=purpose) as tables:
        [row] = tables.features(wanted, timezone.now()).to_pylist()
    return {each.name: row[each.column] for each in wanted}


def _require_permission(subject_ref: UUID, wanted: Sequence[Definition], purpose: str, caller: str) -> None:
    question = Question(
        subject_ref=subject_ref,
        action="personalize",
        purpose=purpose,
        requested_level="individual",
        data_categories=tuple(sorted({category for each in wanted for category in each.categories})),
        processing_region=settings.PROCESSING_REGION,
    )
    decision = decide(question, caller=caller)
    verdict = decision.rendered.verdict
    leaves_out = any(duty.type == "exclude_categories" for duty in verdict.obligations)
    if not decision.permitted or verdict.level != "individual" or leaves_out:
        raise FeatureNotPermitted(f"The decision about “{purpose}” does not permit it.")
