"""What officers see and change of consent, a register each; importing them registers them."""

from consent.admin import imports, ledger, notices, parties, purposes, sites

__all__ = ["imports", "ledger", "notices", "parties", "purposes", "sites"]
