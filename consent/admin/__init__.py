"""Officers' pages about consent, one module a register; importing them registers them."""

from consent.admin import imports, ledger, notices, parties, purposes, sites

__all__ = ["imports", "ledger", "notices", "parties", "purposes", "sites"]
