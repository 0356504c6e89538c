"""Where each gate is mended: the page that its evidence comes from."""

from collections.abc import Mapping

from django.urls import reverse
from django.utils.html import format_html
from django.utils.http import urlencode

from common.admin_pages.display import NOTHING
from model_registry.documents.kinds import KINDS
from model_registry.gates.findings import PENDING
from model_registry.gates.outcome import Line
from model_registry.models import ModelVersion

# What is no document: the panel of the page that says more, and what to do.
_PANELS: Mapping[str, str] = {
    "segments": "A new training", "quality": "A new training", "freshness": "A new training",
    "fallback": "A new training", "retraining": "A new training", "bias_audit": "Run the audits",
    "leak_audit": "Run the audits", "audits_renewed": "Run the audits", "monitoring": "The monitors",
    "inputs": "The monitors", "drift": "The monitors", "service": "The monitors", "reviews": "A review of a document",
}  # fmt: skip


def link(version: ModelVersion, line: Line) -> str:
    """Return a link to where a gate that is not passed is mended; nothing for one that is."""
    if line.is_met:
        return NOTHING
    if line.slug == "approval":
        return _extension(version)
    kind = {"epsilon": "card", "incident_contact": "runbook"}.get(line.slug, line.slug)
    if kind in KINDS:
        words = "Review it" if line.finding.state == PENDING else "Write it"
        return _linked(reverse("model-document", args=[version.pk, kind]), f"{words}: {line.title}")
    return format_html("{}, or {}", _PANELS.get(line.slug, "Another officer"), _exemption(version, line))


def _extension(version: ModelVersion) -> str:
    if not version.is_approved:
        return "A new approval"
    return _linked(reverse("admin:model_registry_modelversion_extend_this", args=[version.pk]), "Extend the approval")


def _exemption(version: ModelVersion, line: Line) -> str:
    named: dict[str, str | int] = {"model": version.model_id, "version": version.version, "gate": line.slug}
    address = f"{reverse('admin:model_registry_gateexemption_add')}?{urlencode(named)}"
    return _linked(address, f"say why “{line.title}” does not apply")


def _linked(address: str, words: str) -> str:
    return format_html('<a href="{}">{}</a>', address, words)
