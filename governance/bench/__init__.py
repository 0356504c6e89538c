"""Reproducible benchmarks: ``./assent bench decisions`` and ``./assent bench consents``."""
