"""Officers' pages of models, one module a subject; importing them registers them."""

from model_registry.admin import entries, gates, segments, versions

__all__ = ["entries", "gates", "segments", "versions"]
