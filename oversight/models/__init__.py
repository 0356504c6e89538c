from oversight.models.approvals import Approval, Step
from oversight.models.changesets import Change, ChangeSet
from oversight.models.relaxing import RelaxedRegister
from oversight.models.rollouts import RolloutBase
from oversight.models.work import WorkItem, WorkStep

__all__ = ["Approval", "Change", "ChangeSet", "RelaxedRegister", "RolloutBase", "Step", "WorkItem", "WorkStep"]
