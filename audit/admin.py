"""Pages of the audit trail: events, and the anchors that seal them."""

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import render
from django.urls import path, reverse
from django.utils.html import format_html
from unfold.decorators import display

from audit.log import export, wording
from audit.log.filters import Filter
from audit.log.page import EXPORTS, LIST, bad_page, log_page
from audit.log.wording import TONES
from audit.looks import LooksRecorded
from audit.models import AuditAnchor, AuditEvent
from common import actors
from common.admin_pages.display import badge, code, exact_moment, moment, sentence, short, who
from common.admin_pages.filters import since
from common.admin_pages.log_filters import BadFilter
from common.admin_pages.read_only import ReadOnlyAdmin

CHANGE_SET = "changes "  # how events name a change set, before its number


@admin.register(AuditEvent)
class AuditEventAdmin(LooksRecorded, ReadOnlyAdmin):
    """The audit log. Its list is a page of its own: Django's counts rows, and knows no folding."""

    look = "audit log"
    shown = ["sealed_as", "occurred", "what", "by", "object_in_full", "changes", "details_in_words", "digest_hex"]
    fields = shown
    readonly_fields = shown

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view(self.export_view)
        return [path("export.<str:kind>", view, name="audit_auditevent_export"), *super().get_urls()]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        context = {**self.admin_site.each_context(request), "opts": self.opts, "title": "Audit log"}
        try:
            chosen = Filter.of(request.GET.dict())
            context.update(log_page(chosen))
        except BadFilter as refused:
            return render(request, LIST, {**context, **bad_page(str(refused))}, status=400)
        self._record_look(request, chosen, page=f"{self.look} list")
        return render(request, LIST, context)

    def _record_look(self, request: HttpRequest, chosen: Filter, *, page: str) -> None:
        for text in sorted({chosen.q, chosen.object} - {""}):
            self.record_search(request, text, page=page)

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
            context = {**self.admin_site.each_context(request), "opts": self.opts, "title": "Audit log"}
            return render(request, LIST, {**context, **bad_page(str(refused))}, status=400)
        self._record_look(request, chosen, page=f"{self.look} export")
        response = StreamingHttpResponse(pieces, content_type=EXPORTS[kind])
        response["Content-Disposition"] = f'attachment; filename="audit-log.{kind}"'
        return response

    @display(description="What happened")
    def what(self, event: AuditEvent) -> str:
        return badge(sentence(event.action), TONES.get(event.action, "plain"))

    @display(description="By")
    def by(self, event: AuditEvent) -> str:
        return who(event.actor)

    @display(description="Number")
    def sealed_as(self, event: AuditEvent) -> int:
        return event.position

    @display(description="When")
    def occurred(self, event: AuditEvent) -> str:
        return exact_moment(event.occurred_at)

    @display(description="About")
    def object_in_full(self, event: AuditEvent) -> str:
        query = Filter(object=event.object).query()
        events = short(event.object, keep=160, href=f"{reverse('admin:audit_auditevent_changelist')}?{query}")
        number = event.object.removeprefix(CHANGE_SET)
        if number == event.object or not number.isdecimal():
            return events
        return format_html('{} · <a href="{}">{}</a>', events, reverse("change-set", args=[number]), "The change set")

    @display(description="Before and after")
    def changes(self, event: AuditEvent) -> str:
        earlier = AuditEvent.objects.filter(object=event.object, position__lt=event.position)
        return wording.changed(event, earlier.order_by("-position").first())

    @display(description="Details")
    def details_in_words(self, event: AuditEvent) -> str:
        return wording.details(event)

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
