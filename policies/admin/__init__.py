"""Officers' pages about the policy layer, by subject."""

from policies.admin import bundles, credentials, data_categories, decisions, jurisdictions, opa, policies, residency
from policies.admin.systems import ProcessingSystemAdmin

__all__ = [
    "ProcessingSystemAdmin",
    "bundles",
    "credentials",
    "data_categories",
    "decisions",
    "jurisdictions",
    "opa",
    "policies",
    "residency",
]
