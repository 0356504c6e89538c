"""Requests of people: their states, what opens, moves and closes them, and the work they give officers."""
