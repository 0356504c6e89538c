"""Trainings that an officer or the schedule asks for: one at a time, with progress."""
