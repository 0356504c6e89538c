"""A candidate policy beside the active one, for a share of the people, in force: docs/decisions/0016."""
