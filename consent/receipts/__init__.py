"""Consent receipts (ISO/IEC TS 27560:2023): what was agreed to, in one signed file that can be verified offline."""
