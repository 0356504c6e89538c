"""Verify a version: files against their signature, registered figures, card; and keep the outcome as evidence."""

from collections.abc import Mapping
from typing import Any

from model_registry.documents import keeping as documents
from model_registry.documents.card import ModelCard
from model_registry.gates import recording
from model_registry.models import Evidence, ModelFile, ModelVersion
from personalization.snapshots import files
from personalization.verification import of_card, of_figures, of_files, rerun
from personalization.verification.lines import Line, Report, State
from personalization.verification.of_files import Checked

EVIDENCE = "files"
_MOST_NAMED = 100


def verify(version: ModelVersion) -> Report:
    """Return what came of every figure and digest of a version. Reads only; trains once again where it can."""
    found = of_files.check(version)
    again = rerun.rerun(found.data, found.model) if found.data is not None and found.model is not None else None
    figures = rerun.metrics(found, again)
    signed = found.are_figures_signed
    borne = of_figures.borne(version.metrics, figures, are_signed=signed)
    lines = [*found.lines, *of_figures.lines(version.metrics, figures, are_signed=signed)]
    if again is not None:
        lines += rerun.lines(found, again)
    row = documents.current(version, "card")
    card: ModelCard | None = documents.document_of(row) if row is not None else None
    if card is None:
        lines.append(Line("card", State.MISSING, "The version has none."))
    else:
        digests = _digests(version, found, borne)
        lines += of_card.lines(card, version, borne, digests=digests, rules=_rules(found))
    return Report(tuple(lines), card=row.revision if row is not None else 0)


def _rules(found: Checked) -> tuple[Mapping[str, Any], State]:
    """Return the rules that the evaluation says it was made by; those of this release where it is not whole."""
    if found.listed is None:
        return files.rules(), State.DIGEST_ONLY
    return found.listed.rules, State.VERIFIED


def _digests(version: ModelVersion, found: Checked, borne: of_figures.Borne) -> Mapping[str, State]:
    """Return the digests that a card may state of the data: of its rows, and of the file's bytes."""
    known = {}
    if (rows := borne.get("data_sha256")) is not None:
        known[str(rows[0])] = rows[1]
    if found.said is not None and (of_file := found.said.files.get("data")):
        known[of_file] = State.VERIFIED if found.data is not None else State.DIGEST_ONLY
    known.pop("", None)
    return known


def verify_live(*, actor: str) -> list[Evidence]:
    """Verify the versions that serve from files here, and keep each outcome."""
    serving = ModelVersion.objects.filter(status__in=ModelVersion.SERVING, files__kind=ModelFile.Kind.DATA)
    return [record(version, verify(version), actor=actor) for version in serving.select_related("model")]


def record(version: ModelVersion, report: Report, *, actor: str) -> Evidence:
    """Keep the outcome as evidence about the version's file: it passed where nothing differs or is missing."""
    named = [{"what": line.what, "state": str(line.state), "why": line.why} for line in report.bad[:_MOST_NAMED]]
    # The card that was read: another one may have been kept while the figures were recomputed.
    figures = {"counts": report.counts, "bad": named, "card": report.card}
    return recording.record_evidence(
        version, Evidence.Kind.AUDIT, EVIDENCE, is_passed=not report.bad, figures=figures, actor=actor
    )
