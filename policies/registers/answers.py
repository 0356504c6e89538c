"""Answers of the registers' endpoints, as the OpenAPI document describes them."""

from typing import Annotated, Literal

from pydantic import Field

from common.http.rest import Body
from common.levels import LevelName

ByLanguage = Annotated[dict[str, str], Field(description="By language: {'en': ..., 'de': ...}")]
Count = Annotated[int, Field(ge=0)]


class PageAnswer(Body):
    """``next_token`` continues the list as ``page_token``; it is empty at the end."""

    next_token: str
    count: Count


class ControllerAnswer(Body):
    slug: str
    name: str


class NoticeAnswer(Body):
    """Newest version of the notice, and the oldest one under which a consent still counts."""

    version: Annotated[int, Field(ge=1)]
    required_version: Annotated[int, Field(ge=1)]


class RetentionAnswer(Body):
    """Days after which the data is deleted, counted from when it was received; null without a schedule."""

    days: Count | None
    descriptions: ByLanguage


class PurposeAnswer(Body):
    slug: str
    names: ByLanguage
    benefits: ByLanguage
    parent: str | None
    controller: ControllerAnswer | None
    legal_basis: Literal[
        "consent", "contract", "legal_obligation", "vital_interests", "public_task", "legitimate_interests"
    ]
    explicit_consent: bool
    may_be_objected: bool
    consent_valid_days: Count | None
    notice: NoticeAnswer | None
    levels: list[LevelName]
    actions: list[str]
    data_categories: list[str]
    recipients: list[str]
    channels: list[str]
    retention: RetentionAnswer


class PurposesAnswer(Body):
    page: PageAnswer
    purposes: list[PurposeAnswer]


class RegionAnswer(Body):
    code: str
    name: str
    age_of_consent: int


class WithinAnswer(Body):
    days: Count
    unit: Literal["calendar", "business"]


class ExtensibleAnswer(WithinAnswer):
    extension_days: Count


class JurisdictionAnswer(Body):
    slug: str
    name: str
    source: str
    regions: list[RegionAnswer]
    consent_default: Literal["opt_in", "opt_out"]
    unasked_max_level: LevelName
    consent_valid_days: Count
    ask_again_after_days: Count
    age_of_consent: int
    opt_in_below_age: int | None
    minor_max_level: LevelName
    unknown_age_is_adult: bool
    answer_within: ExtensibleAnswer
    confirm_within: WithinAnswer | None
    binding_signals: list[Literal["gpc", "gpp", "tcf"]]
    signal_caps: dict[str, LevelName]


class JurisdictionsAnswer(Body):
    page: PageAnswer
    jurisdictions: list[JurisdictionAnswer]


class LevelAnswer(Body):
    level: LevelName
    rank: Count
    names: ByLanguage


class LevelsAnswer(Body):
    levels: list[LevelAnswer]
