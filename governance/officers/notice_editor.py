"""Notice editor: write the next version or a translation, see what changed and what it means, then draft its set.

Works without scripts: every step is a form. What is drafted is exactly what was previewed, which a digest of the
previewed fields makes sure of; any later edit is previewed again.
"""

from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.crypto import constant_time_compare
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from common import actors, languages
from common.admin_pages.permissions import requires
from common.canonical import sha256
from common.http.problems import Problem
from common.wording import word_diff
from consent.ledger import selectors
from consent.models import Notice, Purpose, PurposeText
from consent.register import terms
from consent.register.terms import Finding
from governance.privacy_center import cards
from oversight.admin.forms import draft_of
from oversight.changes.documents import Proposed

LONGEST_TEXT = 20_000
MATERIAL, COSMETIC = "material", "cosmetic"


class _Where(forms.Form):
    """Text to write: its purpose, its language, and its version if it is a translation."""

    purpose = forms.ModelChoiceField(Purpose.objects.all())
    locale = forms.ChoiceField(choices=lambda: [(code, languages.name(code)) for code in languages.known()])
    version = forms.IntegerField(required=False, min_value=1, max_value=2**31 - 1)


class _Text(forms.Form):
    text = forms.CharField(max_length=LONGEST_TEXT)
    kind = forms.ChoiceField(choices=[(MATERIAL, "Material"), (COSMETIC, "Cosmetic")], required=False)
    based_on = forms.IntegerField(min_value=0, max_value=2**31 - 1)

    def clean_text(self) -> str:
        return str(self.cleaned_data["text"]).replace("\r\n", "\n")


class _Draft:
    """Draft of a text, with the one it is compared to and what publishing it would do."""

    def __init__(self, where: dict[str, Any]) -> None:
        self.purpose: Purpose = where["purpose"]
        self.locale: str = where["locale"]
        self.versions = list(Notice.objects.filter(purpose=self.purpose).order_by("-version", "locale"))
        self.newest = self.versions[0].version if self.versions else 0
        self.translates = where["version"]
        self.version: int = self.translates or self.newest + 1
        self.text = ""
        self.kind = ""

    @property
    def before(self) -> Notice | None:
        """Return the last text in this language; the one that the new text takes the place of."""
        return next((n for n in self.versions if n.locale == self.locale), None) if not self.translates else None

    @property
    def original(self) -> Notice | None:
        """Return what to start from where this language has no text yet: the register's own language first."""
        of_version = [n for n in self.versions if n.version == (self.translates or self.newest)]
        return next((n for n in of_version if n.locale == "en"), of_version[0] if of_version else None)

    @property
    def is_first(self) -> bool:
        return not self.versions

    @property
    def asks_for_kind(self) -> bool:
        return not self.translates and not self.is_first

    @property
    def is_material(self) -> bool:
        return self.is_first or self.kind == MATERIAL or bool(self.asks_everybody)

    @cached_property
    def findings(self) -> list[Finding]:
        """What the register says beyond the newest version: found by comparison."""
        return terms.needs_new_version(self.purpose) if self.asks_for_kind else []

    @property
    def asks_everybody(self) -> list[Finding]:
        return [finding for finding in self.findings if not finding.is_separable]

    @property
    def language(self) -> str:
        return languages.name(self.locale)

    def problem(self) -> str:
        """Return why nothing can be written here, or nothing."""
        if not self.translates:
            return ""
        of_version = {n.locale for n in self.versions if n.version == self.translates}
        if not of_version:
            return _("There is no such version to translate.")
        return _("This version is there in this language already.") if self.locale in of_version else ""

    def seen(self) -> str:
        """Return a digest of all that a preview showed."""
        fields = (self.purpose.slug, self.locale, str(self.translates), str(self.newest), self.kind, self.text)
        return sha256("\x00".join(fields).encode()).hex()

    def missing(self) -> list[str]:
        """Return languages that would have no text of this version once it is published."""
        present = {n.locale for n in self.versions if n.version == self.version} | {self.locale}
        wanted = {*languages.offered(), *(n.locale for n in self.versions if n.version == self.newest)}
        return sorted(wanted - present)


@requires("consent.add_notice")
@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: HttpRequest) -> HttpResponse:
    """Serve the editor's steps: choose a text, write it, preview it, publish it."""
    where = _Where(request.GET)
    if not where.is_valid():
        return _choose(request, where if "purpose" in request.GET else None)
    draft = _Draft(where.cleaned_data)
    if problem := draft.problem():
        messages.error(request, problem)
        return HttpResponseRedirect(reverse("notice-editor"))
    return _written(request, draft) if request.method == "POST" else _start(request, draft)


def _choose(request: HttpRequest, bound: _Where | None) -> HttpResponse:
    first = set(languages.offered())
    choices = [(code, languages.name(code)) for code in languages.known()]
    context = {
        "purposes": Purpose.objects.filter(is_active=True),
        "offered": [choice for choice in choices if choice[0] in first],
        "others": [choice for choice in choices if choice[0] not in first],
        "problem": _("There is no such purpose or language.") if bound else "",
        "chosen": request.GET.get("purpose", ""),
    }
    return _page(request, "choose", _("Write a notice"), context, status=400 if bound else 200)


def _start(request: HttpRequest, draft: _Draft) -> HttpResponse:
    shown = draft.before or draft.original
    draft.text = shown.text if shown else ""
    return _editor(request, draft, based_on=draft.newest)


def _written(request: HttpRequest, draft: _Draft) -> HttpResponse:
    form = _Text(request.POST)
    if not form.is_valid():
        draft.text = request.POST.get("text", "")[:LONGEST_TEXT]
        problem = str(next(iter(next(iter(form.errors.values())))))
        return _editor(request, draft, based_on=draft.newest, problem=problem)
    draft.text, draft.kind = form.cleaned_data["text"], form.cleaned_data["kind"]
    based_on = form.cleaned_data["based_on"]
    if problem := _objection(draft, based_on):
        return _editor(request, draft, based_on=draft.newest, problem=problem)
    confirmed = constant_time_compare(request.POST.get("previewed", ""), draft.seen())
    if request.POST.get("step") != "publish" or not confirmed:
        return _editor(request, draft, based_on=based_on, preview=_preview(request, draft))
    return _propose(request, draft)


def _objection(draft: _Draft, based_on: int) -> str:
    if based_on != draft.newest:
        return _("Version %(version)s was published meanwhile. Compare your text with it once more.") % {
            "version": draft.newest
        }
    if draft.before and draft.before.version == draft.newest and draft.before.text == draft.text:
        return _("This is word for word the text that is in force.")
    if draft.asks_for_kind and not draft.kind:
        return _("Say whether the change is material or cosmetic.")
    return ""


def _propose(request: HttpRequest, draft: _Draft) -> HttpResponse:
    document = {
        "purpose": draft.purpose.slug,
        "version": draft.version,
        "locale": draft.locale,
        "text": draft.text,
        "is_material": draft.original.is_material if draft.translates and draft.original else draft.is_material,
    }
    proposed = [Proposed("notice", f"{draft.purpose.slug}/{draft.version}/{draft.locale}", document)]
    title = _("Notice of “%(purpose)s”, version %(version)s, %(language)s") % {
        "purpose": draft.purpose.name,
        "version": draft.version,
        "language": draft.language,
    }
    try:
        change_set = draft_of(proposed, title=title, actor=actors.officer(request))
    except Problem as problem:
        return _editor(request, draft, based_on=draft.newest, problem=problem.detail)
    messages.success(request, _("Drafted. Propose it, and another officer approves it."))
    return redirect("change-set", pk=change_set.pk)


def _editor(
    request: HttpRequest, draft: _Draft, *, based_on: int, problem: str = "", preview: dict[str, Any] | None = None
) -> HttpResponse:
    title = _("Translate version %(version)s") if draft.translates else _("Write version %(version)s")
    context = {
        "draft": draft,
        "based_on": based_on,
        "problem": problem,
        "preview": preview,
        "asked_again": _asked_again(draft) if draft.asks_for_kind else 0,
        "longest": LONGEST_TEXT,
    }
    return _page(request, "edit", title % {"version": draft.version}, context, status=400 if problem else 200)


def _asked_again(draft: _Draft) -> int:
    """Count people whose yes counts now and would not until they answer again."""
    if not draft.purpose.needs_consent:
        return 0
    given = selectors.people_by_state(draft.purpose.slug, now=timezone.now()).get("given")
    return given.count if given else 0


def _preview(request: HttpRequest, draft: _Draft) -> dict[str, Any]:
    return {
        "pieces": word_diff(draft.before.text, draft.text) if draft.before else None,
        "effects": list(_effects(draft)),
        "cards": [_card(request, draft, notice) for notice in _texts(draft)],
        "seen": draft.seen(),
    }


def _effects(draft: _Draft) -> Sequence[str]:
    found = [_("The text can never be changed or deleted; a correction is a new version.")]
    if draft.translates:
        found.append(_("It says the same in another language: nobody is asked again."))
    elif not draft.is_material:
        found.append(_("Nobody is asked again: the change is cosmetic, and every consent given so far stays in force."))
    elif not draft.purpose.needs_consent:
        found.append(_("Nobody is asked: this purpose does not rest on consent."))
    elif people := _asked_again(draft):
        found.append(
            translation.ngettext(
                "%(people)s person who said yes is asked again. Until then the consent does not count.",
                "%(people)s people who said yes are asked again. Until they answer, their consent does not count.",
                people,
            )
            % {"people": f"{people:,}"}
        )
    else:
        found.append(_("No consent is in force now, so nobody loses one. Everybody is asked with the new text."))
    found.extend(_compared(draft))
    if missing := draft.missing():
        names = ", ".join(languages.name(code) for code in missing)
        found.append(
            _("Version %(version)s has no text yet in: %(languages)s. Until it has, its readers see another language.")
            % {"version": draft.version, "languages": names}
        )
    return found


def _compared(draft: _Draft) -> Iterator[str]:
    """Return what the register says beyond the newest version, and what that does."""
    for finding in draft.findings:
        yield finding.detail
    if draft.asks_everybody and draft.kind != MATERIAL:
        yield _("That makes the change material, whichever kind is chosen.")
    if any(finding.is_separable for finding in draft.findings):
        yield _("What is new stays off for people who agreed to an earlier version, until they allow it.")


def _texts(draft: _Draft) -> list[Notice]:
    """Return the new text, and with it what is shown in every other language."""
    new = Notice(purpose=draft.purpose, version=draft.version, locale=draft.locale, text=draft.text)
    latest: dict[str, Notice] = {}
    for notice in draft.versions:
        latest.setdefault(notice.locale, notice)
    return [new, *(latest[locale] for locale in sorted(latest) if locale != draft.locale)][:6]


def _card(request: HttpRequest, draft: _Draft, notice: Notice) -> dict[str, Any]:
    """Return the card as a page of its own, with the people's stylesheet, for a frame that runs nothing."""
    text = PurposeText.objects.filter(purpose=draft.purpose, locale=notice.locale).first()
    with translation.override(notice.locale):
        card = cards.preview_card(draft.purpose, notice, text)
        page = render_to_string("admin/notice_editor/card.html", {"purpose": card, "locale": notice.locale})
    return {
        "language": languages.name(notice.locale),
        "version": notice.version,
        "is_new": notice.pk is None,
        "is_behind": notice.version < draft.version,
        "page": page,
    }


def _page(request: HttpRequest, name: str, title: str, context: dict[str, Any], *, status: int) -> HttpResponse:
    shared = {**admin.site.each_context(request), "title": title}
    return render(request, f"admin/notice_editor/{name}.html", {**shared, **context}, status=status)
