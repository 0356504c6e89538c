"""Documents begun out of what the registers and the training know of a version; the rest is left to officers."""

from model_registry.prefill.answers import REVIEW_AFTER, dpia, fria, runbook
from model_registry.prefill.cards import card, data_name, disparities, interval
from model_registry.prefill.datasheets import datasheet

__all__ = ["REVIEW_AFTER", "card", "data_name", "datasheet", "disparities", "dpia", "fria", "interval", "runbook"]
