"""What registers of every package share: lint, nearest names."""
