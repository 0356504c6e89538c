"""Waits that have an end: a breaker before a server that fails, and threads that never wait."""
