"""Officers' pages about the policy layer, by subject."""

from policies.admin import (
    bundles,
    caps,
    credentials,
    data_categories,
    display,
    drops,
    jurisdictions,
    masking,
    opa,
    policies,
    prices,
    ranking,
    residency,
)
from policies.admin.decision_log import pages as decision_log
from policies.admin.systems import ProcessingSystemAdmin

__all__ = [
    "ProcessingSystemAdmin",
    "bundles",
    "caps",
    "credentials",
    "data_categories",
    "decision_log",
    "display",
    "drops",
    "jurisdictions",
    "masking",
    "opa",
    "policies",
    "prices",
    "ranking",
    "residency",
]
