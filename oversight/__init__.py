"""Oversight: every change of a register is a change set, approved by a second officer before it is in force."""
