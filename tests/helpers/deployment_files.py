"""Deployment files judged by the shipped defaults."""

from datetime import UTC, datetime
from functools import lru_cache

from policies.engines.embedded import EmbeddedEngine
from policies.registers import defaults
from policies.residency.judging import judge
from policies.residency.reading import read_file
from tests.helpers.paths import TESTS

FILES = TESTS / "policies/residency/files"
NOW = datetime(2026, 6, 1, tzinfo=UTC)


@lru_cache(maxsize=1)
def shipped():
    return defaults.bundle_without_database()


def verdicts(path, engine=None):
    """``(resource, kind, region) -> True or the codes``."""
    judged = judge(read_file(path), bundle=shipped(), engine=engine or EmbeddedEngine(), now=NOW)
    return {
        (each.placement.resource, each.placement.kind.value, each.placement.region): each.permitted
        or [reason.code for reason in each.reasons]
        for each in judged
    }


def written(folder, text, name="file.yaml"):
    path = folder / name
    path.write_text(text)
    return path
