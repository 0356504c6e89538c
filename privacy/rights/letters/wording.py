"""Words of letters, in the person's language. What an officer writes is quoted as it was written."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from django.conf import settings
from django.utils import formats, translation
from django.utils.translation import gettext as _

from privacy.rights.clocks.laws import Right


class Kind(StrEnum):
    CODE = "code"
    RECEIVED = "received"
    IDENTITY = "identity"
    CLARIFICATION = "clarification"
    EXTENDED = "extended"
    BLOCKED = "blocked"
    REFUSED = "refused"
    DONE = "done"
    MANDATE = "mandate"
    MESSAGE = "message"


@dataclass(frozen=True)
class Kept:
    """What an erasure left as proof: the kinds of data, on which ground, and until when."""

    titles: Sequence[str]
    ground: str
    until: date


@dataclass(frozen=True)
class Facts:
    """What a letter may say: the right, its day, an officer's words, the page of the request, a code, what is kept."""

    right: Right
    due_on: date | None = None
    words: str = ""
    page: str = ""
    code: str = ""
    kept: Sequence[Kept] = ()


@dataclass(frozen=True)
class Words:
    subject: str
    body: str


def written(kind: Kind, locale: str, facts: Facts) -> Words:
    """Return a letter as plain text."""
    with translation.override(locale):
        subject = _("Your request: %(right)s") % {"right": _named(facts.right)}
        parts = [_opening(kind, facts), facts.words and f"“{facts.words}”", _closing(kind, facts), _way(facts)]
        sender = _("Privacy at %(business)s") % {"business": settings.BUSINESS_NAME}
        return Words(_code_subject() if kind is Kind.CODE else subject, "\n\n".join(filter(None, [*parts, sender])))


def _named(right: Right) -> str:
    return {
        Right.ACCESS: _("a copy of your data"),
        Right.PORTABILITY: _("your data to take elsewhere"),
        Right.RECTIFICATION: _("a correction"),
        Right.ERASURE: _("erasure"),
        Right.RESTRICTION: _("restriction"),
        Right.OBJECTION: _("an objection"),
        Right.OPT_OUT: _("no sale, no sharing"),
        Right.HUMAN_REVIEW: _("a look by a person"),
        Right.COMPLAINT: _("a complaint"),
        Right.MAJORITY: _("a guardian's permission taken back"),
        Right.APPEAL: _("an appeal"),
    }[right]


def _code_subject() -> str:
    return _("Your code for %(business)s") % {"business": settings.BUSINESS_NAME}


def _opening(kind: Kind, facts: Facts) -> str:
    day = {"day": formats.date_format(facts.due_on, "DATE_FORMAT") if facts.due_on else ""}
    return {
        Kind.CODE: _("Your code is %(code)s. It works for 15 minutes, on the page where you asked.")
        % {"code": facts.code},
        Kind.RECEIVED: _("We have accepted your request.") + (_(" We answer by %(day)s.") % day if day["day"] else ""),
        Kind.IDENTITY: _("Before we go on we must be sure who asks."),
        Kind.CLARIFICATION: _("Before we go on we must know what you mean."),
        Kind.EXTENDED: _("We need more time: we answer by %(day)s. The reason:") % day,
        Kind.BLOCKED: _("A part of your request has to wait. The reason:"),
        Kind.REFUSED: _("We cannot do what you asked for. The reason:"),
        Kind.DONE: _("Your request is answered."),
        Kind.MANDATE: _("The mandate of the agent who asked for you has ended. The agent is given nothing more."),
        Kind.MESSAGE: _("A message about your request:"),
    }[kind]


def _closing(kind: Kind, facts: Facts) -> str:
    if kind is Kind.CODE:
        return _("If you asked for nothing, you need do nothing: without the code nothing happens.")
    if kind is Kind.REFUSED:
        return _("You can ask us to look again, complain to your data protection authority, or go to court.")
    if kind is Kind.DONE and facts.right in (Right.ACCESS, Right.PORTABILITY):
        return _("Your files wait for 30 days. We never send them by e-mail.")
    if kind is Kind.DONE and facts.kept:
        said = [_("Your data is erased. This is kept as proof:"), *(_stays(each) for each in facts.kept)]
        return "\n\n".join(said)
    return ""


def _stays(kept: Kept) -> str:
    until = _("Until %(day)s.") % {"day": formats.date_format(kept.until, "DATE_FORMAT")}
    return f"{' · '.join(_(title) for title in kept.titles)}: {_(kept.ground)} {until}"


def _way(facts: Facts) -> str:
    return _("The page of your request: %(page)s") % {"page": facts.page} if facts.page else ""
