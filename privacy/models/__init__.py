"""Retention, deletion, holds and releases: periods, deletion runs and their proof; published statistics."""

from privacy.models.budgets import BudgetSpend, PrivacyBudget, Release
from privacy.models.holds import Hold, HoldMember, Restriction
from privacy.models.retention import Disposal, DisposalBatch, RetentionSchedule

__all__ = [
    "BudgetSpend",
    "Disposal",
    "DisposalBatch",
    "Hold",
    "HoldMember",
    "PrivacyBudget",
    "Release",
    "Restriction",
    "RetentionSchedule",
]
