"""What the policy layer keeps: callers, rules as data, bundles, and the decision log."""

from policies.models.bundle import Activation, ActiveBundle, Bundle
from policies.models.credential import ServiceCredential
from policies.models.log import Decision, DecisionBatch, PeriodKey, SpoolPosition
from policies.models.rules import (
    Jurisdiction,
    ProcessingRegion,
    Region,
    ResidencyRule,
    SensitiveCategory,
    TransferInstrument,
)
from policies.models.simulation import SimulationReport

__all__ = [
    "Activation",
    "ActiveBundle",
    "Bundle",
    "Decision",
    "DecisionBatch",
    "Jurisdiction",
    "PeriodKey",
    "ProcessingRegion",
    "Region",
    "ResidencyRule",
    "SensitiveCategory",
    "ServiceCredential",
    "SimulationReport",
    "SpoolPosition",
    "TransferInstrument",
]
