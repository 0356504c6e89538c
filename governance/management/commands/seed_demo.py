"""Fill an instance for the demonstration: register, catalogue, people who chose, an approved model."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from common import actors
from common.http.problems import Problem
from governance.demo import people, register
from governance.demo.cast import dataset_name, leading_person
from governance.demo.officers import accounts, model_documents, seconding
from governance.demo.shop_rules import rules
from model_registry import services
from model_registry.models import ModelVersion
from personalization import training
from personalization.audits import running as audits
from privacy.budgets import releases


class Command(BaseCommand):
    help = "Fill an instance for the demonstration. Safe to run again."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dataset", type=Path, help="Folder of the UCI Restaurant & consumer files.")

    def handle(self, *args: Any, dataset: Path | None, **options: Any) -> None:
        try:
            self._seed(dataset)
        except Problem as problem:
            raise CommandError(problem.detail) from problem

    def _seed(self, folder: Path | None) -> None:
        register.ensure_register()
        register.ensure_translations()
        rules.ensure()
        data = people.load_dataset(folder)
        name = dataset_name(folder)
        self.stdout.write(f"Seeding {len(data.people)} people and {len(data.items)} items ({name}) ...")
        counts = people.seed(data, name=name, left_out=leading_person(data))
        self.stdout.write(
            f"  {counts['people']} people chose, {counts['consenting']} of them agreed; {counts['events']} new events."
        )
        self.stdout.write("Training the recommender on those who agreed ...")
        version = training.train_recommender(actor=actors.job("training"))
        if version is None:
            raise CommandError("Nobody allows training; there is nothing to recommend from.")
        model_documents.complete(version, author=accounts.author(), officer=accounts.approver())
        audits.run_now(version, author=accounts.author(), only=("bias", "leak"))
        services.change_status(version_id=version.pk, status="in_review", actor=accounts.author())
        seconding.seconded(version, "approved")
        services.change_status(version_id=version.pk, status="live", actor=accounts.author())
        self._retire_older(version)
        self.stdout.write(f"  {version} is trained on {version.metrics['people']} people, approved and live.")
        releases.release_due(actor=actors.job("releases"))

    def _retire_older(self, newest: ModelVersion) -> None:
        older = ModelVersion.objects.filter(model=newest.model).exclude(pk=newest.pk).exclude(status="retired")
        for version in older:
            services.change_status(version_id=version.pk, status="retired", actor=register.ACTOR)
