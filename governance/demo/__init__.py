"""The demonstration: a shop with people in it, and a scripted story over its real API."""
