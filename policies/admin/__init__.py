"""The officers' pages about the policy layer, by subject."""

from policies import policy_admin
from policies.admin import bundles, credentials, decisions, jurisdictions, opa, residency
from policies.deployments.admin import ProcessingSystemAdmin

__all__ = [
    "ProcessingSystemAdmin",
    "bundles",
    "credentials",
    "decisions",
    "jurisdictions",
    "opa",
    "policy_admin",
    "residency",
]
