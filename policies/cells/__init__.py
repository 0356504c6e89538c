"""Cells: several installations as one deployment, where a person's data stays in one cell (docs/decisions/0017)."""
