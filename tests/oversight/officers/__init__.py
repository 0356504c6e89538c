"""Tests of change sets, of who may approve them, and of the work that follows."""
