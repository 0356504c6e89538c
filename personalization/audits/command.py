"""Audits at the command line: run at once, with progress, and as text or JSON."""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from model_registry.models import ModelVersion
from personalization.audits import running
from personalization.audits.models import AuditRun
from personalization.audits.suite import AUDITS

Say = Callable[[str], object]


def audit(version: ModelVersion, *, only: Sequence[str], as_json: bool, say: Say, note: Say) -> list[str]:
    """Audit a version and say what was found; return the demanded gates that it fails. Progress goes to ``note``."""

    def progress(step: str, done: int) -> None:
        title = AUDITS[step].title if step in AUDITS else "Reading events"
        note(f"{title} ...")

    row = running.run_now(version, author="operator", only=only, progress=progress)
    version.refresh_from_db()
    failed = running.failures(version)
    say(_as_json(row) if as_json else _as_text(row, version))
    return [line.slug for line in failed]


def _as_json(row: AuditRun) -> str:
    return json.dumps({**(row.document or {}), "signature": row.signature}, indent=2, ensure_ascii=False)


def _as_text(row: AuditRun, version: ModelVersion) -> str:
    head = f"{version}: {version.get_status_display()}, file {row.artifact_sha256[:16]}"
    return "\n".join([head, *(_line(name, result) for name, result in row.results.items())])


def _line(name: str, result: Mapping[str, Any]) -> str:
    said = ", ".join(f"{member.replace('_', ' ')} {value}" for member, value in result["figures"].items())
    state = "sound" if result["passed"] else "FAULT" if result["measured"] else "none"
    return f"  {state:6} {AUDITS[name].title:20} {said}"
