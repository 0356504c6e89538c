"""Rules of ranking as lists obey them, and as people read them."""
