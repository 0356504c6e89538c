"""Pages of OPA servers: their status, and the decisions they made themselves."""

from collections.abc import Iterable
from datetime import timedelta
from operator import itemgetter
from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from unfold.decorators import display
from unfold.paginator import InfinitePaginator

from common.admin_pages.display import NOTHING, badge, code, document, exact_moment, moment, short, who
from common.admin_pages.filters import since
from common.admin_pages.read_only import ReadOnlyAdmin
from consent.models import Level
from policies.admin.decision_log.listing import TONES
from policies.bundles import reasons
from policies.models import ExternalDecision, OpaInstance
from policies.opa import servers
from policies.opa.servers import State

_STATES = {
    State.CURRENT: ("Decides by the rules in force", "good"),
    State.BEHIND: ("Decides by other rules", "alarm"),
    State.EMPTY: ("Has no rules", "alarm"),
    State.SILENT: ("Says nothing", "caution"),
    State.GONE: ("Gone", "plain"),
}


def _revision(revision: str) -> str:
    if not revision:
        return NOTHING
    url = reverse("admin:policies_bundle_change", args=[revision])
    return short(revision.removeprefix("sha256:"), keep=12, href=url)


@admin.register(OpaInstance)
class OpaInstanceAdmin(ReadOnlyAdmin):
    list_before_template = "admin/opa_servers_before.html"
    list_display = ["name", "standing", "revision", "since", "behind", "problem", "heard"]
    fields = ["name", "standing", "revision", "since", "behind", "problems", "heard_exactly", "credential", "reported"]
    readonly_fields = fields
    search_fields = ["name"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[OpaInstance]:
        return servers.with_active(super().get_queryset(request))

    def _of(self, instance: OpaInstance) -> servers.Standing:
        return servers.standing(instance, now=timezone.now())

    @display(description="State")
    def standing(self, instance: OpaInstance) -> str:
        return badge(*_STATES[self._of(instance).state])

    @display(description="Rules", ordering="bundle_revision")
    def revision(self, instance: OpaInstance) -> str:
        return _revision(instance.bundle_revision)

    @display(description="Since", ordering="activated_at")
    def since(self, instance: OpaInstance) -> str:
        return moment(instance.activated_at)

    @display(description="Behind the rules in force")
    def behind(self, instance: OpaInstance) -> str:
        lag = self._of(instance).lag
        return NOTHING if lag is None else _in_words(lag)

    @display(description="What is wrong")
    def problem(self, instance: OpaInstance) -> str:
        return servers.in_words(instance.errors[0]) if instance.errors else NOTHING

    @display(description="What is wrong")
    def problems(self, instance: OpaInstance) -> str:
        rows = ((servers.in_words(error), error) for error in instance.errors)
        return format_html_join("", "<div>{} <code>{}</code></div>", rows) or NOTHING

    @display(description="Last heard of", ordering="heard_at")
    def heard(self, instance: OpaInstance) -> str:
        return moment(instance.heard_at)

    @display(description="Last heard of")
    def heard_exactly(self, instance: OpaInstance) -> str:
        return exact_moment(instance.heard_at)

    @display(description="Credential")
    def credential(self, instance: OpaInstance) -> str:
        return who(instance.caller)

    @display(description="Its decisions")
    def reported(self, instance: OpaInstance) -> str:
        url = reverse("admin:policies_externaldecision_changelist")
        return format_html('<a href="{}?instance={}">What it reported</a>', url, instance.name)


def _in_words(lag: timedelta) -> str:
    minutes = int(lag.total_seconds() // 60)
    if minutes < 1:
        return "less than a minute"
    return f"{minutes} min" if minutes < 120 else f"{minutes // 60} h" if minutes < 2880 else f"{minutes // 1440} days"


class KnownValues(admin.SimpleListFilter):
    column = ""

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(**{self.column: self.value()}) if self.value() else queryset


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


class InstanceFilter(KnownValues):
    title = "OPA server"
    parameter_name = column = "instance"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, str]]:
        return [(name, name) for name in OpaInstance.objects.order_by("name").values_list("name", flat=True)]


@admin.register(ExternalDecision)
class ExternalDecisionAdmin(ReadOnlyAdmin):
    list_before_template = "admin/opa_servers_before.html"
    list_display = ["came_in", "answer", "level_reached", "because", "instance", "rules"]
    list_filter = [since("received_at"), "outcome", InstanceFilter, ReasonFilter, LevelFilter]
    search_fields = ["id"]
    search_help_text = "Paste the number of a decision."
    paginator = InfinitePaginator
    show_full_result_count = False
    fieldsets = [
        (None, {"fields": ["answer", "level_reached", "why_in_words"]}),
        ("Who decided, and when", {"fields": ["instance", "credential", "decided", "came_in_exactly", "number"]}),
        ("What was known", {"fields": ["facts_shown"]}),
        ("Evidence", {"fields": ["rules", "sealed"]}),
    ]
    readonly_fields = [
        "answer", "level_reached", "why_in_words", "instance", "credential", "decided", "came_in_exactly", "number",
        "facts_shown", "rules", "sealed",
    ]  # fmt: skip

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[ExternalDecision], search_term: str
    ) -> tuple[QuerySet[ExternalDecision], bool]:
        if not search_term.strip():
            return queryset, False
        try:
            return queryset.filter(pk=UUID(search_term.strip())), False
        except ValueError:
            messages.warning(request, "Paste a whole number, such as 019c1a5e-7f0a-7cc3-98c4-dc0c0c07398f.")
            return queryset.none(), False

    @display(description="Came in", ordering="received_at")
    def came_in(self, decision: ExternalDecision) -> str:
        return moment(decision.received_at)

    @display(description="Came in")
    def came_in_exactly(self, decision: ExternalDecision) -> str:
        return exact_moment(decision.received_at)

    @display(description="Answer")
    def answer(self, decision: ExternalDecision) -> str:
        return badge(decision.get_outcome_display(), TONES[decision.outcome])

    @display(description="Level")
    def level_reached(self, decision: ExternalDecision) -> str:
        return Level(decision.level).label if decision.level in Level.values else NOTHING

    @display(description="Because")
    def because(self, decision: ExternalDecision) -> str:
        return _reason(decision.reasons[0]) if decision.reasons else NOTHING

    @display(description="Why")
    def why_in_words(self, decision: ExternalDecision) -> str:
        lines = ((_reason(reason), reason) for reason in decision.reasons)
        return format_html_join("", "<div>{} <code>{}</code></div>", lines) or "Nothing stood against it."

    @display(description="Credential")
    def credential(self, decision: ExternalDecision) -> str:
        return who(decision.caller)

    @display(description="Decided, as the server says")
    def decided(self, decision: ExternalDecision) -> str:
        return exact_moment(decision.decided_at)

    @display(description="Number of this decision")
    def number(self, decision: ExternalDecision) -> str:
        return code(str(decision.pk))

    @display(description="Facts")
    def facts_shown(self, decision: ExternalDecision) -> str:
        return document(decision.facts)

    @display(description="Rules it was decided by")
    def rules(self, decision: ExternalDecision) -> str:
        return _revision(decision.bundle_revision)

    @display(description="Sealed in")
    def sealed(self, decision: ExternalDecision) -> str:
        if not decision.batch_id:
            return "Came in before such decisions were sealed"
        return f"batch {decision.batch_id}, line {decision.position + 1}"


def _reason(reason: str) -> str:
    return reasons.for_officer(reason) if reason in reasons.CODES else "A reason Assent does not know."
