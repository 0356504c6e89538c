"""Terraform plans and states as placements."""
