"""Several installations as one deployment: a person's data lies in one cell and stays there (docs/decisions/0017)."""
