"""Bundled recommender: numpy and scipy only, usable and testable without the web application."""
