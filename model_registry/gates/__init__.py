"""Release gates: what a version of a model needs before it serves a person, read from evidence."""
