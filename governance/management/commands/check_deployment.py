"""Judge deployment files by the residency rules: for a pipeline, before anything is built."""

import json
import sys
from argparse import ArgumentParser
from collections.abc import Iterable, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError
from django.utils import timezone

from policies.bundles import loading
from policies.bundles.loading import LoadedBundle
from policies.engines.embedded import EmbeddedEngine
from policies.models import ActiveBundle
from policies.registers import defaults
from policies.residency.judging import Judgement, is_able, judge
from policies.residency.placements import Placement, Unreadable, split_words
from policies.residency.reading import read_files

_FINDINGS, _UNREADABLE = 1, 2


class Command(BaseCommand):
    help = (
        "Judge a Terraform plan (terraform show -json), compose files or Kubernetes manifests by the residency rules. "
        "Exit status 0: all permitted, 1: findings, 2: a file cannot be read."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("files", nargs="+", type=Path, metavar="FILE")
        parser.add_argument("--subjects", default="", help="Whose data it is where a file does not say: eea,uk.")
        parser.add_argument(
            "--categories", default="", help="Which data it is where a file does not say: views,health."
        )
        parser.add_argument("--purposes", default="", help="What for, where a file does not say.")
        parser.add_argument(
            "--data-from-defaults",
            action="store_true",
            help="Judge by the rules a new installation starts with, not by those of an instance; needs no database.",
        )
        parser.add_argument("--json", action="store_true", dest="as_json")

    def handle(self, *args: Any, **options: Any) -> None:
        bundle = defaults.bundle_without_database() if options["data_from_defaults"] else _bundle_in_force()
        found = _read(options["files"])
        empty = [str(path) for path, placements in found.items() if not placements]
        placements = [_completed(placement, options) for each in found.values() for placement in each]
        judged = judge(placements, bundle=bundle, engine=EmbeddedEngine(), now=timezone.now())
        source = "defaults of this release" if options["data_from_defaults"] else f"bundle {bundle.revision}"
        refused = sum(not each.permitted for each in judged)
        if options["as_json"]:
            self.stdout.write(
                json.dumps(
                    {"rules": source, "placements": [_document(each) for each in judged], "nothing_to_judge": empty},
                    indent=2,
                )
            )
        else:
            for line in _table(judged):
                self.stdout.write(line)
            for path in empty:
                self.stdout.write(f"{path}: nothing in it is known to hold data or to work on it; nothing was judged.")
            self.stdout.write(f"{len(judged)} placements, {refused} refused; judged by the {source}.")
        if refused:
            sys.exit(_FINDINGS)


def _bundle_in_force() -> LoadedBundle:
    try:
        revision = ActiveBundle.objects.values_list("bundle_id", flat=True).first()
        bundle = loading.loaded(revision) if revision else None
    except DatabaseError:
        raise CommandError("The instance's database does not answer.", returncode=_UNREADABLE) from None
    if bundle is None or not is_able(bundle):
        hint = "start the instance once with this release, or use --data-from-defaults."
        raise CommandError(f"The rules in force do not judge deployments: {hint}", returncode=_UNREADABLE)
    return bundle


def _read(paths: Iterable[Path]) -> dict[Path, list[Placement]]:
    try:
        return read_files(paths)
    except Unreadable as exc:
        raise CommandError(f"{exc}.", returncode=_UNREADABLE) from None


def _completed(placement: Placement, options: dict[str, Any]) -> Placement:
    return replace(
        placement,
        subject_groups=placement.subject_groups or split_words(options["subjects"]),
        data_categories=placement.data_categories or split_words(options["categories"]),
        purposes=placement.purposes or split_words(options["purposes"]),
    )


def _document(judged: Judgement) -> dict[str, Any]:
    reasons = [{"code": r.code, "detail": r.detail, "sentence": r.sentence} for r in judged.reasons]
    verdict = {"permitted": judged.permitted, "rules": judged.rules, "instruments": judged.instruments}
    return {**asdict(judged.placement), **verdict, "reasons": reasons}


def _table(judged: Sequence[Judgement]) -> Iterable[str]:
    rows = [("FILE", "RESOURCE", "KIND", "REGION", "VERDICT", "RULE"), *(_row(each) for each in judged)]
    widths = [max(len(row[column]) for row in rows) for column in range(5)]
    for row in rows:
        cells = [cell.ljust(width) for cell, width in zip(row, [*widths, 0], strict=True)]
        yield "  ".join(cells).rstrip()


def _row(judged: Judgement) -> tuple[str, ...]:
    place = judged.placement
    file = f"{place.file}:{place.line}" if place.line else place.file
    because = ", ".join(judged.rules) if judged.permitted else " ".join(r.sentence for r in judged.reasons)
    codes = "" if judged.permitted else f"{', '.join(dict.fromkeys(r.code for r in judged.reasons))}: "
    verdict = "permitted" if judged.permitted else "REFUSED"
    return file, place.resource, place.kind.value, place.region or "-", verdict, codes + because
