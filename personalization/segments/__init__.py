"""Segments as the proxy asks for them: whose list a person gets at level ``segment``."""
