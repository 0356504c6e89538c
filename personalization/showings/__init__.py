"""Showings of items to a person, counted only where a frequency cap asks for it and the person permits it."""
