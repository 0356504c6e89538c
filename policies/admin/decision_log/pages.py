"""Pages of the decision log."""

import json
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import render
from django.urls import path, reverse
from django.utils.html import format_html, format_html_join
from unfold.decorators import display

from common import actors
from common.admin_pages.display import NOTHING, badge, code, exact_moment, folded, pretty_json, short, who
from common.admin_pages.log_filters import BadFilter
from common.admin_pages.read_only import ReadOnlyAdmin
from consent.admin.looks import PersonLooksRecorded
from consent.models import Level, Purpose
from policies.admin.decision_log import facts, listing
from policies.admin.decision_log.listing import EXPORTS, LIST, TONES, bad_page, log_page
from policies.bundles import reasons
from policies.decision_log.search import export
from policies.decision_log.search.filters import Filter
from policies.models import Decision


@admin.register(Decision)
class DecisionAdmin(PersonLooksRecorded, ReadOnlyAdmin):
    look = "decision log"
    fieldsets = [
        (None, {"fields": ["answer", "asked", "level_reached", "why_in_words", "candidate_said"]}),
        ("Who asked, and when", {"fields": ["caller_name", "decided", "number"]}),
        ("Rules that fired", {"fields": ["fired"]}),
        ("What was known", {"fields": ["facts_shown"]}),
        ("Evidence", {"fields": ["rules", "sealed", "entry_shown"]}),
    ]
    readonly_fields = [
        "answer", "asked", "level_reached", "why_in_words", "caller_name", "decided", "number", "facts_shown", "rules",
        "sealed", "entry_shown", "candidate_said", "fired",
    ]  # fmt: skip

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view(self.export_view)
        return [path("export.<str:kind>", view, name="policies_decision_export"), *super().get_urls()]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        context = self._context(request)
        try:
            chosen = Filter.of(request.GET.dict())
            context.update(log_page(chosen))
        except BadFilter as refused:
            return render(request, LIST, {**context, **bad_page(str(refused))}, status=400)
        self.record_search(request, chosen.q, page=f"{self.look} list")
        return render(request, LIST, context)

    def export_view(self, request: HttpRequest, kind: str) -> HttpResponseBase:
        """Download what a filter finds: ``csv``, or ``jsonl`` with proof."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        if kind not in EXPORTS:
            raise Http404
        given = request.GET.dict()
        after = given.pop("after", "")
        try:
            chosen = Filter.of(given)
            pieces = export.write(kind, chosen, actor=actors.officer(request), after=after)
        except BadFilter as refused:
            return render(request, LIST, {**self._context(request), **bad_page(str(refused))}, status=400)
        self.record_search(request, chosen.q, page=f"{self.look} export")
        response = StreamingHttpResponse(pieces, content_type=EXPORTS[kind])
        response["Content-Disposition"] = f'attachment; filename="decision-log.{kind}"'
        return response

    def _context(self, request: HttpRequest) -> dict[str, Any]:
        return {**self.admin_site.each_context(request), "opts": self.opts, "title": "Decision log"}

    @display(description="Answer")
    def answer(self, decision: Decision) -> str:
        return listing.answer(decision)

    @display(description="Asked")
    def asked(self, decision: Decision) -> str:
        names = Purpose.objects.filter(slug=decision.purpose).values_list("slug", "name")
        return listing.asked(decision, dict(names))

    @display(description="Level")
    def level_reached(self, decision: Decision) -> str:
        return listing.level(decision)

    @display(description="Asked by")
    def caller_name(self, decision: Decision) -> str:
        return who(decision.caller)

    @display(description="Why")
    def why_in_words(self, decision: Decision) -> str:
        if not decision.reasons:
            return "Nothing stood against it."
        lines = ((reasons.for_officer(reason), reason) for reason in decision.reasons)
        return format_html_join("", "<div>{} <code>{}</code></div>", lines)

    @display(description="A candidate beside it would have said")
    def candidate_said(self, decision: Decision) -> str:
        told = json.loads(decision.entry).get("shadow")
        if told is None:
            return "The same, or there was none."
        outcome = badge(Decision.Outcome(told["outcome"]).label, TONES[told["outcome"]])
        level = Level(told["level"]).label if told["level"] in Level.values else NOTHING
        why = [reasons.for_officer(reason["code"]) for reason in told["reasons"]]
        return format_html("{} Level: {}. {}", outcome, level, " ".join(map(str, why)))

    @display(description="When")
    def decided(self, decision: Decision) -> str:
        return exact_moment(decision.decided_at)

    @display(description="Number of this decision")
    def number(self, decision: Decision) -> str:
        return code(str(decision.pk))

    @display(description="Facts")
    def facts_shown(self, decision: Decision) -> str:
        return facts.in_groups(json.loads(decision.entry)["facts"])

    @display(description="Evaluated again")
    def fired(self, decision: Decision) -> str:
        return facts.fired(decision)

    @display(description="Rules it was decided by")
    def rules(self, decision: Decision) -> str:
        if not decision.bundle_revision:
            return NOTHING
        url = reverse("admin:policies_bundle_change", args=[decision.bundle_revision])
        return short(decision.bundle_revision.removeprefix("sha256:"), keep=12, href=url)

    @display(description="Sealed in")
    def sealed(self, decision: Decision) -> str:
        return f"batch {decision.batch_id}, line {decision.position + 1}"

    @display(description="Log entry")
    def entry_shown(self, decision: Decision) -> str:
        return folded("Show the entry as it was written", pretty_json(decision.entry))
