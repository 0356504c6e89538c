"""Visitors without any record: lists from the few items of this visit, which are stored and logged nowhere."""
