"""Noisy tables: counts of a table's people under differential privacy, released as any other table is."""
