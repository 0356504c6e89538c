"""Encryption of files at rest."""
