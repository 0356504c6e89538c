"""Officers' pages about the policy layer, by subject."""

from policies.admin import (
    bundles,
    credentials,
    data_categories,
    drops,
    jurisdictions,
    opa,
    policies,
    prices,
    ranking,
    residency,
    shown,
)
from policies.admin.decision_log import pages as decision_log
from policies.admin.systems import ProcessingSystemAdmin

__all__ = [
    "ProcessingSystemAdmin",
    "bundles",
    "credentials",
    "data_categories",
    "decision_log",
    "drops",
    "jurisdictions",
    "opa",
    "policies",
    "prices",
    "ranking",
    "residency",
    "shown",
]
