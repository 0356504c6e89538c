"""Evidence of a request: how it was answered, as a signed file that proves itself without this installation."""
