"""Consent banner of a site: its layout, saved choices and current state.

A browser is a person of its own name space: its random number, made in the browser and tied to the site, becomes a
pseudonym like any other. A signal of the browser (Global Privacy Control) stands above a yes unless the visitor was
informed of the conflict and agreed all the same; a no needs neither.
"""

from typing import Annotated, Any, Literal

from django.db.models import Prefetch
from django.utils import timezone
from pydantic import Field, field_validator

from common import patterns
from common.http.rest import Body
from consent.api import Uuid
from consent.banner import layouts, words
from consent.ledger import ledger, scopes, selectors
from consent.ledger.proof import Asked
from consent.models import LegalBasis, Notice, Purpose, Site
from consent.problems import PurposeUnknown
from consent.pseudonyms import subject_ref
from consent.register.jurisdictions import match
from consent.register.jurisdictions.pack import ConsentDefault
from consent.register.part_words import PartWords

INTERFACE = "assent.js@1"
# From first to last; all of the same size, colour and number of steps.
BUTTONS = ("refuse_all", "accept_all", "choose")
# Of the question about what came after a yes, which leaves that yes as it is.
NEW_BUTTONS = ("refuse_new", "accept_new", "save")
_ORDERS = {INTERFACE: BUTTONS, f"{INTERFACE}-new": NEW_BUTTONS}
SUBJECT_TYPE = "browser"

BrowserId = Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]


class BannerChoice(Body):
    """One choice in a banner. ``supersedes`` is the record the visitor saw; a yes must name the one in force.

    ``part``: what of the purpose it is about, as the state's ``beyond`` names it; without it, the whole.
    ``told_of_conflict``: the visitor was informed that the browser's signal says otherwise, and agreed all the same.
    """

    purpose: Annotated[str, Field(pattern=f"^{patterns.SLUG}$")]
    choice: Literal["give", "refuse", "withdraw"]
    part: Annotated[str, Field(pattern=f"^(?:{'|'.join(scopes.DIMENSIONS)})={patterns.SLUG}$")] | None = None
    notice_version: Annotated[int, Field(ge=1, le=1_000_000)] | None = None
    supersedes: Uuid | None = None
    told_of_conflict: bool = False
    explicit: bool = False


class BrowserBody(Body):
    browser: BrowserId
    gpc: bool = False


class ChoicesBody(BrowserBody):
    choices: Annotated[list[BannerChoice], Field(min_length=1, max_length=40)]
    locale: Annotated[str, Field(pattern=f"^{patterns.LANGUAGE_TAG}$", max_length=35)] = "en"
    layout_sha256: Annotated[str, Field(pattern=r"^([0-9a-f]{64})?$")] = ""
    interface: Annotated[str, Field(pattern=r"^[a-z0-9_.@-]{0,64}$")] = ""

    @field_validator("choices")
    @classmethod
    def _one_choice_a_purpose(cls, choices: list[BannerChoice]) -> list[BannerChoice]:
        if len({(choice.purpose, choice.part) for choice in choices}) != len(choices):
            raise ValueError("a purpose is named twice, or a part of it")
        return choices


def active_site(slug: str) -> Site | None:
    return Site.objects.filter(slug=slug, is_active=True).first()


def layout(site: Site, *, locale: str, gpc: bool) -> dict[str, Any]:
    """Return the banner's layout. ``layout_sha256`` covers what a visitor sees: texts, order, weight, purposes."""
    language = words.nearest(locale)
    named = PartWords(language)
    shown = {
        "site": site.slug,
        "name": site.name,
        "locale": language,
        "interface": INTERFACE,
        "texts": words.TEXTS[language],
        "buttons": list(BUTTONS),
        "new_buttons": list(NEW_BUTTONS),
        "weight": "equal",
        "purposes": [_purpose(purpose, language, named) for purpose in _purposes(site)],
    }
    return {
        **shown,
        "layout_sha256": layouts.keep(shown),
        "asks_first": _asks_first(site.region),
        "consent_mode": site.consent_mode or {},
        "gpc": gpc,
    }


def _asks_first(region: str) -> bool:
    """Return whether the law of the site's region is opt-in: the question comes before any processing."""
    return match(region).pack.consent_default is not ConsentDefault.OPT_OUT


def _purposes(site: Site) -> list[Purpose]:
    notices = Prefetch("notices", queryset=Notice.objects.order_by("-version", "locale"))
    askable = site.purposes.filter(is_active=True, legal_basis=LegalBasis.CONSENT)
    return list(askable.prefetch_related("texts", notices))


def _purpose(purpose: Purpose, language: str, named: PartWords) -> dict[str, Any]:
    text = next((text for text in purpose.texts.all() if text.locale == language), purpose)
    return {
        "slug": purpose.slug,
        "name": text.name,
        "benefit": text.benefit,
        "channels": [],
        "parts": named.of(purpose),
        "explicit": purpose.explicit_consent,
        "notice": _notice(purpose, language),
    }


def _notice(purpose: Purpose, language: str) -> dict[str, Any] | None:
    """Return the newest version in the language, in English, or in the first there is: the one the proof will name."""
    notices = list(purpose.notices.all())
    newest = [notice for notice in notices if notice.version == notices[0].version]
    if not newest:
        return None
    notice = min(newest, key=lambda found: (found.locale != language, found.locale != "en", found.locale))
    return {"version": notice.version, "locale": notice.locale, "text": notice.text, "sha256": notice.text_sha256}


def save(site: Site, body: ChoicesBody, *, header: bool, key: str | None) -> bool:
    """Save the choices; return whether it was a repeat. Raises the problems of the ledger."""
    gpc = header or body.gpc
    _check_shown(site, body.choices)
    saved = ledger.save_choices(
        ledger.Request(
            subject_ref=_ref(site, body.browser),
            choices=[_choice(choice, gpc=gpc) for choice in body.choices],
            source="banner",
            actor=f"site:{site.slug}",
            region=site.region or None,
            idempotency_key=key,
            asked=_asked(body, header=header),
        )
    )
    return saved.replayed


def _check_shown(site: Site, choices: list[BannerChoice]) -> None:
    """Require a question for a yes. A no counts for any purpose, also for one the site no longer asks about."""
    shown = {purpose.slug for purpose in _purposes(site)}
    if any(choice.choice == "give" and choice.purpose not in shown for choice in choices):
        raise PurposeUnknown("This site does not ask about one of the purposes.")


def _choice(choice: BannerChoice, *, gpc: bool) -> ledger.Choice:
    # The ledger turns a refusal of what was allowed into a withdrawal; "withdraw" alone would fail where nothing was.
    part: dict[str, Any] = dict(scopes.parts(choice.part or scopes.WHOLE))
    if choice.choice != "give" or (gpc and not choice.told_of_conflict):
        return ledger.Choice(purpose=choice.purpose, choice="refuse", notice_version=choice.notice_version, **part)
    return ledger.Choice(
        purpose=choice.purpose,
        choice="give",
        **part,
        notice_version=choice.notice_version,
        supersedes=choice.supersedes,
        told_of_conflict=choice.told_of_conflict,
        explicit=choice.explicit,
    )


def _asked(body: ChoicesBody, *, header: bool) -> Asked:
    signals: dict[str, Any] = {}
    if header or body.gpc:
        places = [place for place, seen in (("header", header), ("script", body.gpc)) if seen]
        signals = {"gpc": True, "gpc_seen_in": places}
    return Asked(
        interface=body.interface,
        locale=words.nearest(body.locale),
        falls_back=True,
        layout_sha256=body.layout_sha256,
        layout_unknown=layouts.is_unknown(body.layout_sha256),
        order=_ORDERS.get(body.interface, ()),
        signals=signals,
    )


def state(site: Site, browser: str, *, gpc: bool) -> dict[str, Any]:
    """Return what is in force for a browser, for every purpose of the site; ``gpc`` also where it is remembered."""
    person, states = selectors.states(_ref(site, browser), now=timezone.now())
    shown = {purpose.slug: _newest(purpose) for purpose in _purposes(site)}
    consents = person.consents if person else {}
    gpc = gpc or bool(person and person.gpc_since)
    return {
        "subject": {"type": SUBJECT_TYPE, "id": _subject_id(site, browser)},
        "revision": person.revision if person else 0,
        "gpc": gpc,
        "purposes": {
            found.purpose.slug: _entry(
                found,
                silenced=gpc and not consents.get(found.purpose.slug, {}).get("told"),
                newest=shown[found.purpose.slug],
            )
            for found in states
            if found.purpose.slug in shown
        },
    }


def _newest(purpose: Purpose) -> int | None:
    return next((notice.version for notice in purpose.notices.all()), None)


def _entry(found: selectors.PurposeState, *, silenced: bool, newest: int | None) -> dict[str, Any]:
    by_signal = silenced and found.state == "given"
    return {
        "state": "refused" if by_signal else found.state,
        "by_signal": by_signal,
        "record": found.record,
        "since": found.since,
        "expires_at": found.expires_at,
        "notice_version": found.notice_version,
        "newest_version": newest,
        "beyond": found.beyond.parts(found.purpose.max_level) if found.beyond else [],
    }


def _subject_id(site: Site, browser: str) -> str:
    return f"{site.slug}:{browser}"


def _ref(site: Site, browser: str) -> Any:
    return subject_ref(_subject_id(site, browser), subject_type=SUBJECT_TYPE)
