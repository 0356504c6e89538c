"""Rollouts: a candidate policy next to the active one, for a share of the people (docs/decisions/0016)."""
