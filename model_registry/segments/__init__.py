"""Segments that a version may not serve any more, although its file holds them."""
