"""Tables of the policy layer: callers, rules as data, bundles, and the decision log."""

from policies.models.bundle import Activation, ActiveBundle, Bundle, Policy, PolicyActivation
from policies.models.caps import FrequencyCap
from policies.models.cells import AppliedRelease
from policies.models.credential import ServiceCredential
from policies.models.display import DisplayRule
from policies.models.draft import PolicyDraft
from policies.models.log import (
    Decision,
    DecisionBatch,
    DroppedPart,
    HeldTag,
    LogCheckpoint,
    LogDrop,
    PeriodKey,
    SpoolPosition,
)
from policies.models.masking import MaskRule
from policies.models.opa import ExternalBatch, ExternalDecision, OpaInstance
from policies.models.prices import PriceRule
from policies.models.ranking import RankingRule
from policies.models.rollout import Rollout, RolloutStep
from policies.models.rules import (
    Jurisdiction,
    ProcessingRegion,
    Region,
    ResidencyRule,
    SensitiveCategory,
    TransferInstrument,
)
from policies.models.simulation import SimulationReport
from policies.models.systems import ProcessingSystem

__all__ = [
    "Activation",
    "ActiveBundle",
    "AppliedRelease",
    "Bundle",
    "Decision",
    "DecisionBatch",
    "DisplayRule",
    "DroppedPart",
    "ExternalBatch",
    "ExternalDecision",
    "FrequencyCap",
    "HeldTag",
    "Jurisdiction",
    "LogCheckpoint",
    "LogDrop",
    "MaskRule",
    "OpaInstance",
    "PeriodKey",
    "Policy",
    "PolicyActivation",
    "PolicyDraft",
    "PriceRule",
    "ProcessingRegion",
    "ProcessingSystem",
    "RankingRule",
    "Region",
    "ResidencyRule",
    "Rollout",
    "RolloutStep",
    "SensitiveCategory",
    "ServiceCredential",
    "SimulationReport",
    "SpoolPosition",
    "TransferInstrument",
]
