"""Kubernetes manifests as placements."""
