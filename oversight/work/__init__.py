"""Work that waits for an officer: one open item for each kind and object."""
