"""Release gates of a model's version, for a person to read and for any pipeline to stop at."""

import json
from collections.abc import Sequence
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from model_registry.gates import outcome
from model_registry.gates.checks import Stage
from model_registry.gates.findings import EXEMPT, FAILED, NOT_YET, PASSED, PENDING
from model_registry.gates.outcome import Line
from model_registry.models import ModelVersion

_MARKS = {PASSED: "passed", EXEMPT: "n/a", NOT_YET: "not yet", PENDING: "waits", FAILED: "FAILED"}


class Command(BaseCommand):
    help = "Show the release gates of a version and what is missing. Exit status 1: something is missing."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("model", metavar="MODEL", help="The model's short name, such as house-recommender.")
        parser.add_argument("version", metavar="VERSION", type=int)
        parser.add_argument("--stage", choices=[str(stage) for stage in Stage], help="Only the checklist of a stage.")
        parser.add_argument("--json", action="store_true", dest="as_json")

    def handle(self, *args: Any, model: str, version: int, stage: str | None, as_json: bool, **options: Any) -> None:
        found = ModelVersion.objects.filter(model__slug=model, version=version).select_related("model").first()
        if found is None:
            raise CommandError(f"There is no version {version} of a model “{model}”.", returncode=2)
        outcome_now, stages = outcome.of(found), [Stage(stage)] if stage else list(Stage)
        self.stdout.write((_as_json if as_json else _as_text)(found, outcome_now, stages))
        missing = [line for line in outcome_now.missing if line.stage in stages]
        if missing:
            names = ", ".join(line.slug for line in missing)
            raise CommandError(f"{found} lacks: {names}.", returncode=1)


def _as_json(version: ModelVersion, found: outcome.Outcome, stages: Sequence[Stage]) -> str:
    document = {
        "version": str(version),
        "gates": found.state,
        "until": found.until.isoformat() if found.until else None,
        "list": [_member(line) for stage in stages for line in found.of_stage(stage)],
    }
    return json.dumps(document, indent=2, ensure_ascii=False)


def _member(line: Line) -> dict[str, str | None]:
    finding = line.finding
    return {
        "gate": line.slug,
        "stage": line.stage,
        "state": finding.state,
        "why": finding.why,
        "owner": finding.owner or None,
        "at": finding.at.isoformat() if finding.at else None,
        "until": finding.until.isoformat() if finding.until else None,
    }


def _as_text(version: ModelVersion, found: outcome.Outcome, stages: Sequence[Stage]) -> str:
    head = f"{version}: {version.get_status_display()}, gates {found.state}"
    ends = f" until {found.until:%Y-%m-%d %H:%M}" if found.until else ""
    lists = (line for stage in stages for line in (f"{stage}:", *map(_row, found.of_stage(stage))))
    return "\n".join([head + ends, *lists])


def _row(line: Line) -> str:
    finding = line.finding
    by = f" ({finding.owner}, {finding.at:%Y-%m-%d})" if finding.at else ""
    return f"  {_MARKS[finding.state]:7} {line.slug:17} {finding.why}{by}"
