"""Verdicts of reviewers: who may give one, what several of them amount to, and how far reviewers agree."""
