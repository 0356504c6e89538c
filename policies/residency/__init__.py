"""Residency of deployments: deployment files read as placements, judged by the residency rules that requests obey."""
