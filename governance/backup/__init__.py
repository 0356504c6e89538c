"""Backups: the database, the spool and the models in one encrypted file, and back."""
