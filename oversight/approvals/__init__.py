"""Work of any kind that takes two officers: its steps, the verdict of the second one, and what waits for it."""
