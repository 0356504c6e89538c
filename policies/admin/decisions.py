"""Pages of the decision log."""

import json
from collections.abc import Iterable
from datetime import datetime, timedelta
from operator import itemgetter
from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.db.models import OuterRef, Q, QuerySet, Subquery
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from unfold.decorators import display
from unfold.paginator import InfinitePaginator

from common.admin_pages.display import (
    NOTHING,
    badge,
    code,
    exact_moment,
    folded,
    moment,
    pretty_json,
    short,
    who,
)
from common.admin_pages.filters import DateRangeFilter, SinceFilter
from common.admin_pages.read_only import ReadOnlyAdmin
from common.identifiers import uuid7_floor
from consent.admin.looks import PersonLooksRecorded
from consent.models import Level, Purpose
from consent.register import words
from policies.admin import facts
from policies.bundles import reasons
from policies.decision_log import pseudonyms
from policies.models import (
    Bundle,
    Decision,
    ServiceCredential,
)

_CLOCKS_DIFFER = timedelta(minutes=5)  # of the machines that make rules and those that decide
TONES = {"permit": "good", "deny": "plain", "unknown": "alarm"}


class DecidedSince(SinceFilter):
    """Filter by identifier, which holds the time: only the partitions of those days are read."""

    def narrow(self, queryset: QuerySet[Any], since: datetime) -> QuerySet[Any]:
        return queryset.filter(pk__gte=uuid7_floor(since))


class DecidedBetween(DateRangeFilter):
    """Filter by identifier, which holds the time: only the partitions of those days are read."""

    def narrow(self, queryset: QuerySet[Any], start: datetime | None, end: datetime | None) -> QuerySet[Any]:
        bounds = {"pk__gte": start, "pk__lt": end}
        return queryset.filter(**{name: uuid7_floor(moment) for name, moment in bounds.items() if moment})


class KnownValues(admin.SimpleListFilter):
    column = ""

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(**{self.column: self.value()}) if self.value() else queryset


class ActionFilter(KnownValues):
    title = "what was asked"
    parameter_name = column = "action"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, str]]:
        return [(name, words.action(name)) for name in words.ACTIONS]


class PurposeFilter(KnownValues):
    title = "purpose"
    parameter_name = column = "purpose"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, str]]:
        return list(Purpose.objects.values_list("slug", "name"))


class CallerFilter(KnownValues):
    title = "asked by"
    parameter_name = column = "caller"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, str]]:
        return [(f"service:{name}", name) for name in ServiceCredential.objects.values_list("name", flat=True)]


class LevelFilter(KnownValues):
    title = "level"
    parameter_name = column = "level"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, str]]:
        return Level.choices


class ReasonFilter(admin.SimpleListFilter):
    """Filter by any reason of a decision; an index serves it however rare the reason is."""

    title = "reason"
    parameter_name = "reason"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, str]]:
        return sorted(((name, reasons.for_officer(name)) for name in reasons.CODES), key=itemgetter(1))

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(reasons__contains=[self.value()]) if self.value() else queryset


class RevisionFilter(admin.SimpleListFilter):
    title = "rules it was decided by"
    parameter_name = "revision"
    offered = 20

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, str]]:
        newest = Bundle.objects.order_by("-created_at").only("revision", "reason")[: self.offered]
        return [(b.revision, f"{b.revision.removeprefix('sha256:')[:12]} {b.reason}") for b in newest]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if not self.value():
            return queryset
        bundle = Bundle.objects.filter(pk=self.value()).only("created_at").first()
        if bundle is None:
            return queryset.none()
        # No rules decide before they were made, so older partitions are not read.
        made = uuid7_floor(bundle.created_at - _CLOCKS_DIFFER)
        return queryset.filter(bundle_revision=bundle.pk, pk__gte=made)


@admin.register(Decision)
class DecisionAdmin(PersonLooksRecorded, ReadOnlyAdmin):
    look = "decision log"
    list_display = ["when", "answer", "asked", "level_reached", "because", "caller_name"]
    list_filter = [
        DecidedSince, DecidedBetween, "outcome", ReasonFilter, PurposeFilter, ActionFilter, LevelFilter, CallerFilter,
        RevisionFilter,
    ]  # fmt: skip
    search_fields = ["id"]
    search_help_text = "Paste the number of a decision or a person's pseudonym."
    paginator = InfinitePaginator
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER  # numbers beside filters would count every decision there is
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

    def get_queryset(self, request: HttpRequest) -> QuerySet[Decision]:
        name = Purpose.objects.filter(slug=OuterRef("purpose")).values("name")[:1]
        return super().get_queryset(request).annotate(purpose_name=Subquery(name))  # type: ignore[no-any-return]

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Decision], search_term: str
    ) -> tuple[QuerySet[Decision], bool]:
        """Search by number, or by person as far back as the keys of their pseudonyms are kept."""
        if not search_term.strip():
            return queryset, False
        try:
            wanted = UUID(search_term.strip())
        except ValueError:
            messages.warning(request, "Paste a whole number, such as 019c1a5e-7f0a-7cc3-98c4-dc0c0c07398f.")
            return queryset.none(), False
        return queryset.filter(Q(pk=wanted) | Q(subject_tag__in=pseudonyms.tags_of(wanted))), False

    @display(description="When", ordering="id")
    def when(self, decision: Decision) -> str:
        return moment(decision.decided_at)

    @display(description="Answer")
    def answer(self, decision: Decision) -> str:
        return badge(decision.get_outcome_display(), TONES[decision.outcome])

    @display(description="Asked")
    def asked(self, decision: Any) -> str:
        purpose = decision.purpose_name or "a purpose that is not in the register"
        return f"{words.action(decision.action)} for: {purpose}"

    @display(description="Level")
    def level_reached(self, decision: Decision) -> str:
        return Level(decision.level).label if decision.level in Level.values else NOTHING

    @display(description="Because")
    def because(self, decision: Decision) -> str:
        return reasons.for_officer(decision.reasons[0]) if decision.reasons else NOTHING

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
