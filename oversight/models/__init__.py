from oversight.models.changesets import Approval, Change, ChangeSet, SetStep
from oversight.models.relaxing import RelaxedRegister
from oversight.models.work import WorkItem, WorkStep

__all__ = ["Approval", "Change", "ChangeSet", "RelaxedRegister", "SetStep", "WorkItem", "WorkStep"]
