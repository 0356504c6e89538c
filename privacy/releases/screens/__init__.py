"""Officers' pages of releases: their lists, forms and pictures."""
