"""Counts that processes keep in memory and that a scrape adds up."""
