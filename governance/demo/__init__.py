"""The demonstration: a shop with people in it, and a story told over its real API."""
