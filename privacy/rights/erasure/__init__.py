"""Erasure of a person: in force at one commit, then store by store, verified, answered, repeated after a restore."""
