"""What the list and the page of versions show of one, each value in words."""

from django.utils.html import format_html
from unfold.decorators import display

from common.admin_pages.display import NOTHING, badge, code, exact_moment, moment, who
from model_registry.models import ModelVersion
from model_registry.pages import checklist, history, panels, summary

Status = ModelVersion.Status
_TONES = {
    Status.DRAFT: "plain",
    Status.IN_REVIEW: "info",
    Status.APPROVED: "info",
    Status.CANARY: "info",
    Status.LIVE: "good",
    Status.SUSPENDED: "caution",
    Status.RETIRED: "plain",
}
_MEANINGS = {
    Status.DRAFT: "Newly trained or registered, or taken back from review. It serves no person.",
    Status.IN_REVIEW: "Its documents are written and reviewed. It serves no person.",
    Status.APPROVED: "Two officers approved it. It serves no person until it is made live.",
    Status.CANARY: "It is tried next to the live version: it serves so many of the people as its rollout says.",
    Status.LIVE: "It may serve people, as far as each of them allows, while its release gates pass.",
    Status.SUSPENDED: "It serves no person. Two officers make it live again, or another version takes over.",
    Status.RETIRED: "Out of use for good.",
}


class VersionColumns:
    """Fields of a version that are shown and not edited."""

    @display(description="Version", ordering="version")
    def title(self, version: ModelVersion) -> str:
        return version.title

    @display(description="State", ordering="status")
    def standing(self, version: ModelVersion) -> str:
        return badge(version.get_status_display(), _TONES[Status(version.status)])

    @display(description="That means")
    def meaning(self, version: ModelVersion) -> str:
        return _MEANINGS[Status(version.status)]

    @display(description="May serve")
    def serves(self, version: ModelVersion) -> str:
        return ", ".join(purpose.name for purpose in version.purposes.all()) or NOTHING

    @display(description="Trained", ordering="created_at")
    def created(self, version: ModelVersion) -> str:
        return moment(version.created_at)

    @display(description="State since", ordering="status_changed_at")
    def changed(self, version: ModelVersion) -> str:
        return moment(version.status_changed_at)

    @display(description="Trained")
    def created_exactly(self, version: ModelVersion) -> str:
        return exact_moment(version.created_at)

    @display(description="State since")
    def changed_exactly(self, version: ModelVersion) -> str:
        return exact_moment(version.status_changed_at)

    @display(description="Quality")
    def quality(self, version: ModelVersion) -> str:
        return summary.quality(version)

    @display(description="Card in short")
    def card(self, version: ModelVersion) -> str:
        return summary.card(version)

    @display(description="People it may serve now")
    def affected(self, version: ModelVersion) -> str:
        return summary.affected(version)

    @display(description="SHA-256 of its file")
    def file(self, version: ModelVersion) -> str:
        return code(version.artifact_sha256) if version.artifact_sha256 else NOTHING

    @display(description="Where its engine runs")
    def engine(self, version: ModelVersion) -> str:
        """Format the address of an engine elsewhere as text: no page leads there, and nothing calls it."""
        if not version.model.registrant:
            return "Here"
        at = code(version.endpoint) if version.endpoint else "Elsewhere"
        return format_html("{} {}, registered by {}", at, version.label, who(version.model.registrant))

    @display(description="Approved until")
    def approved_to(self, version: ModelVersion) -> str:
        return f"{version.approved_until:%-d %B %Y}" if version.approved_until else NOTHING

    @display(description="Gates")
    def gates(self, version: ModelVersion) -> str:
        return checklist.gates(version)

    @display(description="Documents")
    def documents(self, version: ModelVersion) -> str:
        return checklist.documents(version)

    @display(description="Audits, monitors and deployments")
    def panels(self, version: ModelVersion) -> str:
        return panels.drawn(version) or NOTHING

    @display(description="Steps")
    def timeline(self, version: ModelVersion) -> str:
        return history.drawn(version)
