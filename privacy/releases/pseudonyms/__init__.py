"""Pseudonyms of releases: the installation's keys, and its vault of tokens and keys of people."""
