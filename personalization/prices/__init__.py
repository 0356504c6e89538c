"""Prices of one person: within the bounds that the decision sets, disclosed, and the list price for everybody else."""
