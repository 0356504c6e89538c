"""Questions in the caller's words; nothing in them is trusted to be known."""

from uuid import UUID

import msgspec

from policies.bundles.packages import EntityQuestion

__all__ = ["USUAL_SUBJECT_TYPE", "AnyQuestion", "EntityQuestion", "Question"]


USUAL_SUBJECT_TYPE = "data_subject"  # of people whose type is not stated when they are saved


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """A question about a data subject, answered by the consent package."""

    subject_ref: UUID
    is_usual_type: bool = True  # whether the subject is of the usual type
    is_visitor: bool = False  # whether it is about a visitor without a record; the subject is NO_SUBJECT then
    action: str
    purpose: str
    requested_level: str = "individual"
    data_categories: tuple[str, ...] = ()
    model: str | None = None
    region: str | None = None
    age_band: str | None = None
    processing_region: str = ""
    recipient: str | None = None
    channel: str | None = None
    gpc: bool = False
    gpp_opt_out: bool = False
    tcf_present: bool = False
    tcf_purposes: tuple[int, ...] = ()
    min_revision: int = 0
    privacy_budget: str = "available"
    segment_size: int | None = None  # how many people the person's segment holds, where a model works by segments


AnyQuestion = Question | EntityQuestion
