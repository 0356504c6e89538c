"""What a step of a version does, in words, before an officer takes it."""

from collections.abc import Callable

from common.admin_pages.confirm import Step
from model_registry.models import ModelVersion

Status = ModelVersion.Status
DONE = "{} is {} from the next decision on."


def step(version: ModelVersion, status: Status) -> Step:
    """Return the step to ``status`` in words."""
    return _STEPS[status](version, version.title)


def extension(version: ModelVersion) -> Step:
    """Return the step that lets an approval stand for another year."""
    name = version.title
    until = f"{version.approved_until:%-d %B %Y}" if version.approved_until else "no day"
    return Step(
        title=f"Extend the approval of {name}?",
        effects=[
            f"Approved until now: {until}. Proposed: a year from today.",
            "This takes two officers: a change set is drafted, you propose it, another officer approves it.",
            "While it is open, the day that stands is in force: from the day after, the version is denied.",
        ],
        button="Draft the extension",
        done=f"The extension of {name} is drafted.",
    )


def _to_review(_version: ModelVersion, name: str) -> Step:
    return Step(
        title=f"Submit {name} for review?",
        effects=["Officers see it on their start page.", "It serves no person while it is in review."],
        button="Submit for review",
        done=f"{name} is in review.",
    )


def _to_draft(_version: ModelVersion, name: str) -> Step:
    return Step(
        title=f"Take {name} back to draft?",
        effects=["Its review ends. Documents and evidence stay."],
        button="Back to draft",
        done=f"{name} is a draft again.",
    )


def _to_approved(version: ModelVersion, name: str) -> Step:
    return Step(
        title=f"Approve {name}?",
        effects=[
            f"It may serve: {_served(version)}, up to the level “{version.get_max_level_display()}”.",
            "Approving takes two officers: a change set is drafted, you propose it, another officer approves it.",
            "It serves no person until it is made live.",
        ],
        button="Draft the approval",
        done=f"The approval of {name} is drafted.",
    )


def _to_live(version: ModelVersion, name: str) -> Step:
    if version.status == Status.SUSPENDED:
        return Step(
            title=f"Make {name} live again?",
            effects=[
                f"It serves again: {_served(version)}.",
                "This takes two officers: a change set is drafted, you propose it, another officer approves it.",
            ],
            button="Draft the change",
            done=f"The change of {name} is drafted.",
        )
    other = version.model.versions.filter(status=Status.LIVE).exclude(pk=version.pk).first()
    takes_over = [f"Version {other.version} steps back: it stays approved and can be made live again."] if other else []
    return Step(
        title=f"Make {name} live?",
        effects=[
            f"It serves: {_served(version)}, up to the level “{version.get_max_level_display()}”.",
            "People who allow it get its suggestions from the very next request on; no other person does.",
            *takes_over,
        ],
        button="Make this version live",
        done=DONE.format(name, "live"),
    )


def _to_suspended(version: ModelVersion, name: str) -> Step:
    then = "everybody gets the general list there"
    if version.status == Status.CANARY:
        then = "its people are served by the live version, and its rollout ends"
    return Step(
        title=f"Suspend {name}?",
        effects=[
            f"It serves: {_served(version)}. From the very next request on, {then}.",
            "Nothing is deleted. Two officers make it live again, or you make another version live.",
        ],
        button="Suspend this version",
        done=DONE.format(name, "suspended"),
        is_dangerous=True,
    )


def _to_retired(version: ModelVersion, name: str) -> Step:
    return Step(
        title=f"Retire {name} for good?",
        effects=[
            f"It never serves again: {_served(version)}. This cannot be undone.",
            "To go back to it later, make another version live instead: this one stays approved.",
        ],
        button="Retire this version",
        done=DONE.format(name, "retired"),
        is_dangerous=True,
    )


def _served(version: ModelVersion) -> str:
    return ", ".join(purpose.name for purpose in version.purposes.all()) or "no purpose yet"


_STEPS: dict[Status, Callable[[ModelVersion, str], Step]] = {
    Status.DRAFT: _to_draft,
    Status.IN_REVIEW: _to_review,
    Status.APPROVED: _to_approved,
    Status.LIVE: _to_live,
    Status.SUSPENDED: _to_suspended,
    Status.RETIRED: _to_retired,
}
