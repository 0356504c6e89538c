"""Page of days that left the decision log, or could not."""

from django.contrib import admin
from unfold.decorators import display

from common.admin_pages.display import NOTHING, badge, exact_moment, moment
from common.admin_pages.read_only import ReadOnlyAdmin
from policies.models import LogCheckpoint, LogDrop

_TONES = {"reading": "info", "dropped": "good", "refused": "alarm"}


@admin.register(LogDrop)
class LogDropAdmin(ReadOnlyAdmin):
    list_display = ["day", "standing", "done", "moved"]
    list_filter = ["state"]
    fields = ["day", "standing", "done", "why", "began", "moved_exactly", "export"]
    readonly_fields = ["standing", "done", "began", "moved_exactly", "export"]

    @display(description="State", ordering="state")
    def standing(self, drop: LogDrop) -> str:
        return badge(drop.get_state_display(), _TONES[drop.state])

    @display(description="Decisions")
    def done(self, drop: LogDrop) -> str:
        if drop.state == LogDrop.State.READING:
            return f"{drop.rows_read:,} of about {drop.rows:,} read"
        return f"{drop.rows_read:,}"

    @display(description="Began")
    def began(self, drop: LogDrop) -> str:
        return exact_moment(drop.started_at)

    @display(description="Last progress", ordering="moved_at")
    def moved(self, drop: LogDrop) -> str:
        return moment(drop.moved_at)

    @display(description="Last progress")
    def moved_exactly(self, drop: LogDrop) -> str:
        return exact_moment(drop.moved_at)

    @display(description="Exported to")
    def export(self, drop: LogDrop) -> str:
        signed = LogCheckpoint.objects.filter(document__day=drop.day.isoformat())
        files = [each.document["export"]["file"] for each in signed if each.document["export"]]
        return ", ".join(files) or NOTHING
