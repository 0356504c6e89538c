"""Creators of items: their opt-out of being recommended (docs/decisions/0055)."""
