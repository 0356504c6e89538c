"""What comes back, as values that cannot be changed. Members a newer server adds are ignored."""

import hashlib
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, ClassVar, Generic, TypeVar

from assent_client.errors import NotPermitted, UnfulfilledObligations, UnreadableAnswer

Document = Mapping[str, Any]


@dataclass(frozen=True)
class Reason:
    code: str
    detail: str | None = None
    officer: str = ""
    person: str = ""


@dataclass(frozen=True)
class Obligation:
    id: str
    type: str
    properties: Document


@dataclass(frozen=True)
class Change:
    """A single change after which more would be permitted; ``members`` names whose consent, which region and so on."""

    code: str
    to_level: str | None
    members: Document


@dataclass(frozen=True)
class Rule:
    rule: str
    title: str
    fired: bool
    value: Any


@dataclass(frozen=True)
class Decision:
    """An answer. ``would_change`` and ``rules`` are None where they were not worked out.

    ``warnings`` are codes: ``region_conflict`` where the region stated is another than the register's.
    """

    permitted: bool
    id: str | None
    outcome: str
    level: str | None
    reasons: tuple[Reason, ...]
    obligations: tuple[Obligation, ...]
    requestable: bool
    legal_basis: str | None
    subject_revision: int
    bundle_revision: str | None
    valid_until: datetime | None
    would_change: tuple[Change, ...] | None
    rules: tuple[Rule, ...] | None
    error: str | None = None
    warnings: tuple[str, ...] = ()

    def allows(self, *, fulfils: Collection[str] = ()) -> bool:
        """Whether it is a permit for a caller who fulfils these types of obligations, and no others."""
        return self.permitted and not self.unfulfilled(fulfils)

    def require(self, *, fulfils: Collection[str] = ()) -> "Decision":
        """Return the decision if it is a permit for a caller who fulfils these types of obligations.

        Raises NotPermitted, or UnfulfilledObligations for a permit with another duty.
        """
        if not self.permitted:
            raise NotPermitted([reason.code for reason in self.reasons] or [self.error or "denied"])
        if missing := self.unfulfilled(fulfils):
            raise UnfulfilledObligations(missing)
        return self

    def unfulfilled(self, fulfils: Collection[str]) -> list[str]:
        if isinstance(fulfils, str):
            raise TypeError("fulfils is a collection of types of obligations, not one text")
        return sorted({duty.type for duty in self.obligations} - set(fulfils))


@dataclass(frozen=True)
class Saved:
    """``subject_revision`` is what a later question may demand as ``min_revision``.

    ``warnings`` are codes of what was sent about the person and not taken: ``age_band_kept``, ``region_kept``.
    """

    subject_revision: int
    records: tuple[Document, ...]
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class PurposeState:
    state: str
    members: Document


@dataclass(frozen=True)
class ConsentState:
    known: bool
    subject_revision: int
    purposes: Mapping[str, PurposeState]


@dataclass(frozen=True)
class Receipt:
    """``jws`` is the signed content, ``receipt`` the same to read."""

    receipt: Document
    jws: str


@dataclass(frozen=True)
class PersonRequest:
    """A request of a person about one right. ``due_on``: the last day to answer; None while the clock stands still."""

    id: str
    right: str
    state: str
    law: str
    due_on: date | None
    reason: str
    members: Document


@dataclass(frozen=True)
class DownloadLink:
    """Single-use address of the files of an answer."""

    url: str
    expires_at: datetime | None


@dataclass(frozen=True)
class EventTaken:
    stored: bool
    duplicate: bool
    decision_id: str
    reasons: tuple[Reason, ...]


@dataclass(frozen=True)
class ItemAnswer:
    """What became of one change of an item: an ``outcome``, or the ``code`` of what is wrong with it."""

    item: str | None
    outcome: str | None
    code: str | None = None
    detail: str = ""


@dataclass(frozen=True)
class EventFault:
    """Why one event of many was not taken in. ``code`` is stable; ``is_temporary``: sent again, it may be taken."""

    code: str
    detail: str
    is_temporary: bool

    stored: ClassVar[bool] = False


EventAnswer = EventTaken | EventFault


@dataclass(frozen=True)
class Item:
    """Item of a list. A field that a rule of masking leaves out is empty."""

    item: str
    title: str
    why: str


@dataclass(frozen=True)
class Recommendations:
    level: str
    permitted_level: str
    items: tuple[Item, ...]
    reasons: tuple[Reason, ...]
    decision_id: str
    profiled: bool
    fallback: str | None


@dataclass(frozen=True)
class GeneralList:
    """List that everybody gets; ``also_bought`` is the item that it begins with the company of."""

    items: tuple[Item, ...]
    also_bought: str | None


@dataclass(frozen=True)
class Money:
    amount: Decimal
    currency: str


@dataclass(frozen=True)
class Price:
    """Price to ask; None where the item is not offered, has no list price, or a rule masks it.

    ``disclosure`` is to be shown next to a price that is ``personalized``.
    """

    item: str
    price: Money | None
    list_price: Money | None
    personalized: bool
    disclosure: str | None


@dataclass(frozen=True)
class Prices:
    personalized: bool
    items: tuple[Price, ...]
    reasons: tuple[Reason, ...]
    decision_id: str


@dataclass(frozen=True)
class CatalogueItem:
    """An item as it is stored; ``members`` hold all that is stated of it."""

    id: str
    title: str
    offered: bool
    members: Document


@dataclass(frozen=True)
class Release:
    """A table that was released to this party. ``sha256``: of its file, which is handed out until ``expires_at``.

    ``k``: rows in its smallest class at least; None for counts with noise, which ``epsilon`` protects.
    """

    release: str
    file: str
    sha256: str
    rows: int
    k: int | None
    epsilon: str | None
    purpose: str
    expires_at: datetime | None


@dataclass(frozen=True)
class SearchPage:
    """``next_token`` is empty at the end."""

    results: tuple[Document, ...]
    next_token: str


@dataclass(frozen=True)
class Purpose:
    """A purpose in force. ``names`` are by language; ``members`` hold what a newer server adds as well.

    ``retention_days`` is None without a schedule, ``notice_version`` without a notice.
    """

    slug: str
    names: Mapping[str, str]
    legal_basis: str
    notice_version: int | None
    levels: tuple[str, ...]
    data_categories: tuple[str, ...]
    recipients: tuple[str, ...]
    retention_days: int | None
    members: Document

    def name(self, language: str) -> str:
        """Return the name in a language, else in the register's own."""
        return self.names.get(language) or next(iter(self.names.values()), self.slug)


@dataclass(frozen=True)
class Jurisdiction:
    """A law and the codes of the regions where it applies; ``members`` hold all it sets."""

    slug: str
    name: str
    regions: tuple[str, ...]
    consent_default: str
    age_of_consent: int
    members: Document


@dataclass(frozen=True)
class Level:
    """A level of personalization: a higher ``rank`` uses more of a person. ``names`` are those of the pages."""

    level: str
    rank: int
    names: Mapping[str, str]


Entry = TypeVar("Entry")


@dataclass(frozen=True)
class ListPage(Generic[Entry]):
    """Part of a list; ``next_token`` is empty at the end."""

    entries: tuple[Entry, ...]
    next_token: str


_CHANGE = ("code", "to_level")


def read_decision(document: Any) -> Decision:
    """Anything but a true ``decision`` is a denial; what is no answer at all raises UnreadableAnswer."""
    fault = _get(document, "error", dict, {})
    return Decision(
        permitted=_need(document, "decision", bool),
        id=_get(document, "decision_id", str, None),
        outcome=_get(document, "outcome", str, "unknown"),
        level=_get(document, "level", str, None),
        reasons=_reasons(document),
        obligations=tuple(
            Obligation(_need(each, "id", str), _need(each, "type", str), _need(each, "properties", dict))
            for each in _get(document, "obligations", list, [])
        ),
        requestable=_get(document, "requestable", bool, False),
        legal_basis=_get(document, "legal_basis", str, None),
        subject_revision=_get(document, "subject_revision", int, 0),
        bundle_revision=_get(document, "bundle_revision", str, None),
        valid_until=_moment(_get(document, "valid_until", str, None)),
        would_change=_some(_get(document, "would_change", list, None), _change),
        rules=_some(_get(document, "rules", list, None), _rule),
        error=_get(fault, "message", str, None),
        warnings=_codes(document, "warnings"),
    )


def read_decisions(document: Any, count: int) -> list[Decision]:
    found = _need(document, "decisions", list)
    if len(found) != count:
        raise UnreadableAnswer("There are not as many answers as questions.")
    return [read_decision(each) for each in found]


def read_saved(document: Any) -> Saved:
    return Saved(
        _need(document, "subject_revision", int),
        tuple(_need(document, "records", list)),
        _codes(document, "warnings"),
    )


def read_state(document: Any) -> ConsentState:
    purposes = _need(document, "purposes", dict)
    return ConsentState(
        _need(document, "known", bool),
        _need(document, "subject_revision", int),
        {slug: PurposeState(_need(each, "state", str), each) for slug, each in purposes.items()},
    )


def read_receipt(document: Any) -> Receipt:
    return Receipt(_need(document, "receipt", dict), _need(document, "jws", str))


def read_request(document: Any) -> PersonRequest:
    due_on = _get(document, "due_on", str, None)
    return PersonRequest(
        id=_need(document, "id", str),
        right=_need(document, "right", str),
        state=_need(document, "state", str),
        law=_need(document, "law", str),
        due_on=_day(due_on) if due_on else None,
        reason=_get(document, "reason", str, ""),
        members=document,
    )


def read_requests(document: Any) -> list[PersonRequest]:
    return [read_request(each) for each in _need(document, "requests", list)]


def read_download(document: Any) -> DownloadLink:
    return DownloadLink(_need(document, "url", str), _moment(_need(document, "expires_at", str)))


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise UnreadableAnswer("A day cannot be read.") from None


def read_event(document: Any) -> EventTaken:
    return EventTaken(
        _need(document, "stored", bool),
        _need(document, "duplicate", bool),
        _need(document, "decision_id", str),
        _reasons(document),
    )


def read_items(document: Any) -> list[ItemAnswer]:
    return [_read_item(each) for each in _need(document, "items", list)]


def _read_item(document: Any) -> ItemAnswer:
    error = _get(document, "error", dict, None)
    name, outcome = _get(document, "id", str, None), _get(document, "outcome", str, None)
    if error is None:
        return ItemAnswer(name, _need(document, "outcome", str))
    return ItemAnswer(name, outcome, _need(error, "code", str), _get(error, "detail", str, ""))


def read_events(document: Any) -> list[EventAnswer]:
    return [_read_answer(each) for each in _need(document, "events", list)]


def _read_answer(document: Any) -> EventAnswer:
    error = _get(document, "error", dict, None)
    if error is None:
        return read_event(document)
    return EventFault(_need(error, "code", str), _get(error, "detail", str, ""), _get(error, "status", int, 400) >= 500)


def read_recommendations(document: Any) -> Recommendations:
    return Recommendations(
        level=_need(document, "level", str),
        permitted_level=_need(document, "permitted_level", str),
        items=_listed(document),
        reasons=_reasons(document),
        decision_id=_need(document, "decision_id", str),
        profiled=_need(document, "profiled", bool),
        fallback=_get(document, "fallback", str, None),
    )


def _listed(document: Any) -> tuple[Item, ...]:
    return tuple(
        Item(_need(each, "item", str), _get(each, "title", str, ""), _get(each, "why", str, ""))
        for each in _need(document, "items", list)
    )


def read_general(document: Any) -> GeneralList:
    return GeneralList(_listed(document), _get(document, "also_bought", str, None))


def read_prices(document: Any) -> Prices:
    return Prices(
        personalized=_need(document, "personalized", bool),
        items=tuple(_price(each) for each in _need(document, "items", list)),
        reasons=_reasons(document),
        decision_id=_need(document, "decision_id", str),
    )


def _price(document: Any) -> Price:
    disclosure = _get(document, "disclosure", dict, None)
    return Price(
        item=_need(document, "item", str),
        price=_money(_get(document, "price", dict, None)),
        list_price=_money(_get(document, "list_price", dict, None)),
        personalized=_need(document, "personalized", bool),
        disclosure=None if disclosure is None else _need(disclosure, "text", str),
    )


def _money(document: Document | None) -> Money | None:
    if document is None:
        return None
    try:
        return Money(Decimal(_need(document, "amount", str)), _need(document, "currency", str))
    except InvalidOperation:
        raise UnreadableAnswer("An amount cannot be read.") from None


def read_item(document: Any) -> CatalogueItem:
    return CatalogueItem(
        _need(document, "id", str), _need(document, "title", str), _need(document, "offered", bool), document
    )


def read_nothing(_document: Any) -> None:
    return None


def read_releases(document: Any) -> ListPage[Release]:
    return _list_page(document, "releases", _release)


def _release(document: Any) -> Release:
    return Release(
        release=_need(document, "release", str),
        file=_need(document, "file", str),
        sha256=_need(document, "sha256", str),
        rows=_need(document, "rows", int),
        k=_get(document, "k", int, None),
        epsilon=_get(document, "epsilon", str, None),
        purpose=_need(document, "purpose", str),
        expires_at=_moment(_need(document, "expires_at", str)),
    )


def read_file(content: bytes, sha256: str) -> bytes:
    """Return the content of a file. Raises UnreadableAnswer for one of another digest."""
    if hashlib.sha256(content).hexdigest() != sha256:
        raise UnreadableAnswer("The file is not the one that was released.")
    return content


def read_page(document: Any) -> SearchPage:
    page = _get(document, "page", dict, {})
    return SearchPage(tuple(_need(document, "results", list)), _get(page, "next_token", str, ""))


def read_purposes(document: Any) -> ListPage[Purpose]:
    return _list_page(document, "purposes", _purpose)


def read_jurisdictions(document: Any) -> ListPage[Jurisdiction]:
    return _list_page(document, "jurisdictions", _jurisdiction)


def read_levels(document: Any) -> tuple[Level, ...]:
    return tuple(
        Level(_need(each, "level", str), _need(each, "rank", int), _need(each, "names", dict))
        for each in _need(document, "levels", list)
    )


def _list_page(document: Any, name: str, read: Callable[[Any], Entry]) -> ListPage[Entry]:
    page = _need(document, "page", dict)
    return ListPage(tuple(read(each) for each in _need(document, name, list)), _need(page, "next_token", str))


def _purpose(document: Any) -> Purpose:
    notice, retention = _get(document, "notice", dict, {}), _need(document, "retention", dict)
    return Purpose(
        slug=_need(document, "slug", str),
        names=_need(document, "names", dict),
        legal_basis=_need(document, "legal_basis", str),
        notice_version=_get(notice, "version", int, None),
        levels=tuple(_need(document, "levels", list)),
        data_categories=tuple(_need(document, "data_categories", list)),
        recipients=tuple(_need(document, "recipients", list)),
        retention_days=_get(retention, "days", int, None),
        members=document,
    )


def _jurisdiction(document: Any) -> Jurisdiction:
    return Jurisdiction(
        slug=_need(document, "slug", str),
        name=_need(document, "name", str),
        regions=tuple(_need(region, "code", str) for region in _need(document, "regions", list)),
        consent_default=_need(document, "consent_default", str),
        age_of_consent=_need(document, "age_of_consent", int),
        members=document,
    )


def _reasons(document: Any) -> tuple[Reason, ...]:
    return tuple(
        Reason(
            _need(each, "code", str),
            _get(each, "detail", str, None),
            _get(each, "officer", str, ""),
            _get(each, "person", str, "") or _get(each, "sentence", str, ""),
        )
        for each in _get(document, "reasons", list, [])
    )


def _codes(document: Any, name: str) -> tuple[str, ...]:
    found = tuple(_get(document, name, list, []))
    if not all(isinstance(code, str) for code in found):
        raise UnreadableAnswer(f"'{name}' of the answer holds more than codes.")
    return found


def _change(document: Any) -> Change:
    members = {name: value for name, value in document.items() if name not in _CHANGE}
    return Change(_need(document, "code", str), _get(document, "to_level", str, None), members)


def _rule(document: Any) -> Rule:
    return Rule(
        _need(document, "rule", str), _need(document, "title", str), _need(document, "fired", bool), document["value"]
    )


def _some(found: list[Any] | None, read: Any) -> tuple[Any, ...] | None:
    try:
        return None if found is None else tuple(read(each) for each in found)
    except (KeyError, AttributeError):
        raise UnreadableAnswer("A part of the answer cannot be read.") from None


def _moment(text: str | None) -> datetime | None:
    try:
        return None if text is None else datetime.fromisoformat(text)
    except ValueError:
        raise UnreadableAnswer("A moment in the answer cannot be read.") from None


def _need(document: Any, name: str, kind: type) -> Any:
    value = document.get(name) if isinstance(document, dict) else None
    # True and False are whole numbers to Python, not here.
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise UnreadableAnswer(f"'{name}' is missing in the answer, or of another type.")
    return value


def _get(document: Any, name: str, kind: type, default: Any) -> Any:
    if not isinstance(document, dict):
        raise UnreadableAnswer("A part of the answer is not an object.")
    return default if document.get(name) is None else _need(document, name, kind)
