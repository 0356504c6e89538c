"""Files of a version: the artifact, the data it was trained on, its evaluation; signed together with the version."""
