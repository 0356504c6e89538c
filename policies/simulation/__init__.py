"""Simulation: what a candidate policy would have answered to the decisions that were made (docs/simulation.md)."""

from policies.decision_log.differences import CandidateUnusable, Kind
from policies.simulation.report import Comparison, ReplayReport
from policies.simulation.service import latest_report, simulate

__all__ = ["CandidateUnusable", "Comparison", "Kind", "ReplayReport", "latest_report", "simulate"]
