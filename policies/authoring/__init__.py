"""The PAP: what happens to Rego between an editor and the next decision. docs/policy-lifecycle.md tells it in order."""
