"""Measurements anybody can repeat: ``./assent bench decisions`` and ``./assent bench consents``."""
