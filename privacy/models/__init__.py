"""Retention, deletion, holds and releases: periods, plans, runs and their proof; published statistics and tables."""

from privacy.models.budgets import BudgetSpend, PrivacyBudget, Release, Statistic
from privacy.models.external import ExternalTable
from privacy.models.holds import Hold, HoldMember, Restriction
from privacy.models.periods import RecordPeriod
from privacy.models.releases import DisclosureLimits, TableRelease, UploadedTable
from privacy.models.retention import (
    ContractEnd,
    DeletionPlan,
    DeletionSwitch,
    Disposal,
    DisposalBatch,
    RetentionSchedule,
    UndoPart,
)
from privacy.models.vault import PersonKey, VaultToken

__all__ = [
    "BudgetSpend",
    "ContractEnd",
    "DeletionPlan",
    "DeletionSwitch",
    "DisclosureLimits",
    "Disposal",
    "DisposalBatch",
    "ExternalTable",
    "Hold",
    "HoldMember",
    "PersonKey",
    "PrivacyBudget",
    "RecordPeriod",
    "Release",
    "Restriction",
    "RetentionSchedule",
    "Statistic",
    "TableRelease",
    "UndoPart",
    "UploadedTable",
    "VaultToken",
]
