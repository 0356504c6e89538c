"""The PAP: from an editor to the next decision (docs/policy-lifecycle.md)."""
