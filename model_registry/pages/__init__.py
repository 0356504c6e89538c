"""Pages of models for officers: what a version needs, its documents, and its steps."""
