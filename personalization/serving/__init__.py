"""Serving: what an answer is made of, read by prepared statements and worded for the person it is about."""
