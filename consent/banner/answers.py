"""Answers of the banner's endpoints, as the OpenAPI document describes them."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from common.http.rest import Body


class BannerNotice(Body):
    version: int
    locale: str
    text: str
    sha256: str


class BannerPurpose(Body):
    """``parts`` names each part of the purpose: kinds of data, recipients, channels, actions and the level."""

    slug: str
    name: str
    benefit: str
    channels: list[str]
    parts: dict[str, str]
    explicit: bool
    notice: BannerNotice | None


class LayoutAnswer(Body):
    """Layout of the banner. ``layout_sha256`` covers what a visitor sees."""

    site: str
    name: str
    locale: str
    interface: str
    texts: dict[str, str]
    buttons: list[str]
    new_buttons: list[str]
    weight: Literal["equal"]
    purposes: list[BannerPurpose]
    layout_sha256: str
    asks_first: bool
    consent_mode: dict[str, list[str]]
    gpc: bool


class BannerSubject(Body):
    type: str
    id: str


class BannerPurposeState(Body):
    """``by_signal``: a signal of the browser says no, above a yes.

    ``beyond``: the parts that came after the person agreed; they are off. ``newest_version`` is the notice's.
    """

    state: str
    by_signal: bool
    record: UUID | None
    since: datetime | None
    expires_at: datetime | None
    notice_version: int | None
    newest_version: int | None
    beyond: list[str]


class BannerStateAnswer(Body):
    subject: BannerSubject
    revision: int
    gpc: bool
    purposes: dict[str, BannerPurposeState]
