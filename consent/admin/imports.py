"""Imports from other systems, read only."""

from django.contrib import admin
from unfold.decorators import display

from common.admin_pages.display import badge, code, exact_moment, grid, moment, who
from common.admin_pages.read_only import ReadOnlyAdmin
from consent.models import ConsentImport


@admin.register(ConsentImport)
class ConsentImportAdmin(ReadOnlyAdmin):
    list_display = ["system", "began", "standing", "imported", "unproven", "refused_count"]
    list_filter = ["system"]
    fields = ["system", "began", "ended", "by", "imported", "unproven", "reasons", "digest"]
    readonly_fields = ["began", "ended", "by", "reasons", "digest"]

    @display(description="Started", ordering="started_at")
    def began(self, run: ConsentImport) -> str:
        return moment(run.started_at)

    @display(description="Finished")
    def ended(self, run: ConsentImport) -> str:
        return exact_moment(run.finished_at)

    @display(description="State")
    def standing(self, run: ConsentImport) -> str:
        if run.is_finished:
            return badge("Finished", "good")
        return badge(f"Unfinished, after line {run.line:,}", "caution")

    @display(description="Refused")
    def refused_count(self, run: ConsentImport) -> int:
        return run.refused_lines

    @display(description="Started by")
    def by(self, run: ConsentImport) -> str:
        return who(run.actor)

    @display(description="Refused lines, by reason")
    def reasons(self, run: ConsentImport) -> str:
        return grid(["Reason", "Lines"], sorted(run.refused.items()))

    @display(description="SHA-256 of the file")
    def digest(self, run: ConsentImport) -> str:
        return code(run.file_sha256)
