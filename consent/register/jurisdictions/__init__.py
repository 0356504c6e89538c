"""Jurisdiction packs: which law protects a person and what it says about consent. Django-free."""

from consent.register.jurisdictions.lint import Finding, lint
from consent.register.jurisdictions.matching import (
    Matched,
    MatchKind,
    age_of_consent,
    consent_days,
    match,
    needs_guardian,
)
from consent.register.jurisdictions.pack import Pack, revision
from consent.register.jurisdictions.pack import packs as load
from consent.register.jurisdictions.strictness import laxer_fields
from consent.register.jurisdictions.tables import UnreadablePack

__all__ = [
    "Finding", "MatchKind", "Matched", "Pack", "UnreadablePack", "age_of_consent", "consent_days",
    "laxer_fields", "lint", "load", "match", "needs_guardian", "revision",
]  # fmt: skip
