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
    slug: str
    name: str
    benefit: str
    channels: list[str]
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
    """``by_signal``: a signal of the browser says no, above a yes."""

    state: str
    by_signal: bool
    record: UUID | None
    since: datetime | None
    expires_at: datetime | None
    notice_version: int | None


class BannerStateAnswer(Body):
    subject: BannerSubject
    revision: int
    gpc: bool
    purposes: dict[str, BannerPurposeState]
