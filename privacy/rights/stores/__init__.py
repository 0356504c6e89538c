"""Stores of personal data behind one seam: what an access answers from, and what an erasure empties."""
