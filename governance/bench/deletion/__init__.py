"""Deletion measured: against one by hand, and what it does to decisions during it."""
