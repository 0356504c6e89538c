"""Retention: show what is due, or queue its deletion."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from privacy.retention import disposal, schedules


class Command(BaseCommand):
    help = "Delete what is older than its retention schedule allows, or show what that would be."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="Only count; change nothing.")

    def handle(self, *args: Any, dry_run: bool, **options: Any) -> None:
        due = schedules.due()
        if not due:
            self.stdout.write("There is no retention schedule. Make one in the admin under Data and retention.")
        for item in due:
            counts = ", ".join(f"{count} {name}" for name, count in item.counts.items()) or "nothing stored"
            self.stdout.write(
                f"{item.schedule.purpose.slug}: kept {item.schedule.retain_for.days} days; "
                f"received before {item.before:%Y-%m-%d %H:%M}Z: {counts}"
            )
        if dry_run:
            self.stdout.write(f"Dry run: {sum(item.total for item in due)} rows would be deleted. Nothing was changed.")
            return
        queued = disposal.queue_for_retention(actor="operator")
        self.stdout.write(f"{len(queued)} deletions queued; a worker carries them out.")
