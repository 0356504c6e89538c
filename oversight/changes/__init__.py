"""Life of a change set: drafted, checked, previewed, approved, in force, undone."""
