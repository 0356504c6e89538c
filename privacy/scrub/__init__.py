"""Scrub: deleted rows leave the files of the database, the statistics and the write-ahead log, or it is refused."""
