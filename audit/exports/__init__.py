"""Logs as files: lines that are written one by one, and signed as a whole."""
