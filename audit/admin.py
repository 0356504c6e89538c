from django.contrib import admin

from audit.models import AuditAnchor, AuditEvent
from common.read_only_admin import ReadOnlyAdmin


@admin.register(AuditEvent)
class AuditEventAdmin(ReadOnlyAdmin):
    list_display = ["occurred_at", "action", "actor", "object"]
    list_filter = ["action"]
    search_fields = ["object", "actor"]
    show_full_result_count = False


@admin.register(AuditAnchor)
class AuditAnchorAdmin(ReadOnlyAdmin):
    list_display = ["sequence", "created_at", "event_count", "last_position"]
    exclude = ["root", "previous", "digest"]
    readonly_fields = ["root_hex", "digest_hex"]

    @admin.display(description="Merkle root")
    def root_hex(self, anchor: AuditAnchor) -> str:
        return bytes(anchor.root).hex()

    @admin.display(description="Digest, chained")
    def digest_hex(self, anchor: AuditAnchor) -> str:
        return bytes(anchor.digest).hex()
