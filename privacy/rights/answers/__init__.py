"""Answers to requests: the stores that hold personal data, the files made of them, and their download."""
