"""Intake of events: read strictly, decided about, and stored by the one statement that a withdrawal can order."""
