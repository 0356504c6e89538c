"""What OPA and the embedded engine read differently, found by looking at a policy's tokens."""
