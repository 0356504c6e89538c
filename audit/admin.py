from collections.abc import Iterable
from typing import Any
from urllib.parse import urlencode

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from unfold.decorators import display
from unfold.paginator import InfinitePaginator

from audit.looks import LooksRecorded
from audit.models import AuditAnchor, AuditEvent
from common.admin_pages.display import badge, code, document, exact_moment, moment, sentence, short, who
from common.admin_pages.filters import since
from common.admin_pages.read_only import ReadOnlyAdmin

_KINDS = {
    "consent": "Consent",
    "purpose": "Processing activities",
    "notice": "Notices",
    "party": "Parties",
    "model": "Models",
    "rule": "Rules",
    "bundle": "Rules brought into force",
    "retention": "Retention",
    "disposal": "Deletion runs",
    "statistic": "Published statistics",
    "subject": "Data subjects looked up",
    "evidence": "Evidence handed out",
    "receipt": "Receipts handed out",
    "subject_link": "Dashboard links",
    "credential": "Service credentials",
    "officer": "Officers",
    "role": "Roles given and taken away",
    "group": "What roles may do",
    "trail": "Verifications",
}
_TONES = {
    "consent.given": "good",
    "consent.withdrawn": "caution",
    "consent.objected": "caution",
    "model.approved": "good",
    "model.suspended": "caution",
    "trail.verified": "good",
    "trail.broken": "alarm",
    "decision_log.line_unreadable": "alarm",
}


class KindFilter(admin.SimpleListFilter):
    title = "subject matter"
    parameter_name = "kind"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, str]]:
        return list(_KINDS.items())

    def queryset(self, request: HttpRequest, queryset: QuerySet[AuditEvent]) -> QuerySet[AuditEvent]:
        return queryset.filter(action__startswith=f"{self.value()}.") if self.value() in _KINDS else queryset


@admin.register(AuditEvent)
class AuditEventAdmin(LooksRecorded, ReadOnlyAdmin):
    look = "audit log"
    list_display = ["when", "what", "by", "about", "sealed_as"]
    list_filter = [since("occurred_at"), KindFilter]
    search_fields = ["=object"]
    search_help_text = "Paste a whole pseudonym or name, as it stands under “About”."
    paginator = InfinitePaginator
    show_full_result_count = False
    fields = ["sealed_as", "occurred", "what", "by", "object_in_full", "details_in_words", "digest_hex"]
    readonly_fields = ["sealed_as", "occurred", "what", "by", "object_in_full", "details_in_words", "digest_hex"]

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[AuditEvent], search_term: str
    ) -> tuple[QuerySet[AuditEvent], bool]:
        wanted = search_term.strip()  # exact: the index on the object serves it
        return (queryset.filter(object=wanted) if wanted else queryset), False

    @display(description="When", ordering="occurred_at")
    def when(self, event: AuditEvent) -> str:
        return moment(event.occurred_at)

    @display(description="What happened", ordering="action")
    def what(self, event: AuditEvent) -> str:
        return badge(sentence(event.action), _TONES.get(event.action, "plain"))

    @display(description="By", ordering="actor")
    def by(self, event: AuditEvent) -> str:
        return who(event.actor)

    @display(description="About", ordering="object")
    def about(self, event: AuditEvent) -> str:
        query = urlencode({"q": event.object})
        return short(event.object, keep=24, href=f"{reverse('admin:audit_auditevent_changelist')}?{query}")

    @display(description="Number", ordering="position")
    def sealed_as(self, event: AuditEvent) -> int:
        return event.position

    @display(description="When")
    def occurred(self, event: AuditEvent) -> str:
        return exact_moment(event.occurred_at)

    @display(description="About")
    def object_in_full(self, event: AuditEvent) -> str:
        query = urlencode({"q": event.object})
        return short(event.object, keep=160, href=f"{reverse('admin:audit_auditevent_changelist')}?{query}")

    @display(description="Details")
    def details_in_words(self, event: AuditEvent) -> str:
        return document(event.details)

    @display(description="Digest")
    def digest_hex(self, event: AuditEvent) -> str:
        return code(bytes(event.digest).hex())


@admin.register(AuditAnchor)
class AuditAnchorAdmin(ReadOnlyAdmin):
    list_display = ["seal", "when", "event_count", "range"]
    list_filter = [since("created_at")]
    fields = ["seal", "made", "range", "event_count", "root_hex", "previous_hex", "digest_hex"]
    readonly_fields = ["seal", "made", "range", "root_hex", "previous_hex", "digest_hex"]

    @display(description="Anchor", ordering="sequence")
    def seal(self, anchor: AuditAnchor) -> str:
        return f"Anchor {anchor.sequence}"

    @display(description="Made", ordering="created_at")
    def when(self, anchor: AuditAnchor) -> str:
        return moment(anchor.created_at)

    @display(description="Made")
    def made(self, anchor: AuditAnchor) -> str:
        return exact_moment(anchor.created_at)

    @display(description="Events", ordering="last_position")
    def range(self, anchor: AuditAnchor) -> str:
        return f"{anchor.after_position + 1} to {anchor.last_position}"

    @display(description="Merkle root of the events")
    def root_hex(self, anchor: AuditAnchor) -> str:
        return code(bytes(anchor.root).hex())

    @display(description="Digest of the previous anchor")
    def previous_hex(self, anchor: AuditAnchor) -> str:
        return code(bytes(anchor.previous).hex())

    @display(description="Digest of this anchor")
    def digest_hex(self, anchor: AuditAnchor) -> str:
        return code(bytes(anchor.digest).hex())
