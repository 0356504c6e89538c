"""Monitors of models in use: what they are fed, what they serve, and whether that is within its objectives."""
