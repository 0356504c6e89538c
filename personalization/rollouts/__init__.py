"""Rollouts of versions of the recommender: shadow, canary, and the guards that take a canary back (ADR 0050).

Steps, watch and pages are those of every rollout (``oversight.rollouts``). Here is what is a model's own: where the
share stands (the version's row, and so the bundle), what both sides are counted by, and the limits.
"""
