"""Erasure ledger: what was taken back or deleted, outside every dump, so that a restore cannot bring it back."""
