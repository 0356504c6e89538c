"""Decisions in the loop: two halves around one statement, and the statements of many requests sent together."""
