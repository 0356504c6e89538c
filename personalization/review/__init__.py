"""Recommendations under review: what waits for a person, and what one approved."""
