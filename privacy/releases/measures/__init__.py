"""Measures of a release besides those of the copy itself: sizes of classes, and what two releases leave together."""
