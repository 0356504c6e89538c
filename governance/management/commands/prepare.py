"""Bring an instance up to this release: migrations, static files, first bundle. Quick when there is nothing to do."""

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from audit import signing
from common.canonical import sha256
from consent import key_check
from governance.evidence import registers
from governance.officers import role_groups
from model_registry.files import signature
from personalization.event_store import shipping
from personalization.snapshots import shipping as snapshots_shipping
from policies.bundles import publishing
from policies.models import ActiveBundle
from policies.registers import defaults
from privacy.budgets import shipped


class Command(BaseCommand):
    help = "Migrate, collect static files and bring the first policy bundle into force."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--fast", action="store_true", help="Skip what has already been done for this release.")

    def handle(self, *args: Any, fast: bool, **options: Any) -> None:
        executor = MigrationExecutor(connection)
        if executor.migration_plan(executor.loader.graph.leaf_nodes()):
            call_command("migrate", verbosity=0, interactive=False)
            self.stdout.write("The database is up to date with this release.")
        self._check_keys()
        if not ActiveBundle.objects.exists() and shipped.ensure():
            self.stdout.write("One statistic is published each month under a small privacy budget.")
        self._collect_static(fast=fast)
        if defaults.ensure_defaults():
            self.stdout.write("A policy bundle is in force.")
        if signed := signature.sign_existing():
            self.stdout.write(f"{signed} versions of models are signed.")
        if shipping.ensure_window(actor=publishing.SYSTEM):
            self.stdout.write("The rolling window of events is a retention schedule.")
        if snapshots_shipping.ensure_schedule(actor=publishing.SYSTEM):
            self.stdout.write("Snapshots of trainings stand under a retention schedule.")
        if changed := role_groups.keep_current():
            self.stdout.write(f"The rights of these roles are up to date: {', '.join(changed)}.")
        registers.seal_existing(actor="system")

    def _check_keys(self) -> None:
        try:
            key_check.ensure()
        except key_check.WrongSubjectKey as exc:
            raise CommandError(str(exc)) from exc
        try:
            signing.current_key()
        except signing.SigningKeyUnavailable as exc:
            self.stderr.write(exc.detail)

    def _collect_static(self, *, fast: bool) -> None:
        stamp = Path(settings.STATIC_ROOT) / ".release"
        release = _static_release()
        if fast and stamp.is_file() and stamp.read_text() == release:
            return
        call_command("collectstatic", verbosity=0, interactive=False)
        stamp.write_text(release)


def _static_release() -> str:
    """Return a digest of what static files come from: our own, by size and time, and packages' versions."""
    from importlib.metadata import version

    own = [
        f"{path.name}:{path.stat().st_size}:{path.stat().st_mtime_ns}"
        for folder in settings.STATICFILES_DIRS
        for path in sorted(Path(folder).rglob("*"))
    ]
    packages = [f"{name}:{version(name)}" for name in ("django", "django-unfold", "drf-spectacular-sidecar")]
    return sha256("\n".join([*own, *packages]).encode()).hex()
