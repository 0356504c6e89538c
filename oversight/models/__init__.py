from oversight.models.changesets import Approval, Change, ChangeSet, SetStep
from oversight.models.work import WorkItem, WorkStep

__all__ = ["Approval", "Change", "ChangeSet", "SetStep", "WorkItem", "WorkStep"]
