"""Rollouts of anything that takes two officers: steps, the watch that takes a candidate back, and pages.

What is rolled out (a policy, a version of a model) is a kind, registered by the package whose it is: where the share
stands that is in force, and where the figures of both sides come from.
"""
