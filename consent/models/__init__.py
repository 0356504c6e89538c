"""The tables of the consent layer, by subject. Migrations name the two validators here."""

from consent.models.data_categories import DataCategory, DataCategoryText
from consent.models.imports import ConsentImport
from consent.models.ledger import AgeBand, ConsentRecord, DataSubject, SavedRequest
from consent.models.links import DailyCount, SubjectLink
from consent.models.register import (
    NO_NOTICES,
    LegalBasis,
    Level,
    Notice,
    Party,
    Purpose,
    PurposeData,
    PurposeText,
    current_notice_versions,
)
from consent.models.sites import CONSENT_MODE_SIGNALS, Site, check_consent_mode, check_origins
from consent.models.snapshots import BannerLayout, RegisterSnapshot
from consent.models.terms import NoticeTerms

__all__ = [
    "CONSENT_MODE_SIGNALS",
    "NO_NOTICES",
    "AgeBand",
    "BannerLayout",
    "ConsentImport",
    "ConsentRecord",
    "DailyCount",
    "DataCategory",
    "DataCategoryText",
    "DataSubject",
    "LegalBasis",
    "Level",
    "Notice",
    "NoticeTerms",
    "Party",
    "Purpose",
    "PurposeData",
    "PurposeText",
    "RegisterSnapshot",
    "SavedRequest",
    "Site",
    "SubjectLink",
    "check_consent_mode",
    "check_origins",
    "current_notice_versions",
]
