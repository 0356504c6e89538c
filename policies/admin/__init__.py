"""Officers' pages about the policy layer, by subject."""

from policies.admin import bundles, credentials, decisions, jurisdictions, opa, policies, residency
from policies.admin.systems import ProcessingSystemAdmin

__all__ = [
    "ProcessingSystemAdmin",
    "bundles",
    "credentials",
    "decisions",
    "jurisdictions",
    "opa",
    "policies",
    "residency",
]
